// Each test moves several processes about; two of them at a time would only measure the machine.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
