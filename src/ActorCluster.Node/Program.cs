using ActorCluster.Node.Startup;

return await NodeProcess.RunAsync(args, Environment.GetEnvironmentVariable, Console.Out, Console.Error);
