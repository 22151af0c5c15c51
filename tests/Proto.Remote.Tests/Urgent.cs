namespace Proto.Remote.Tests.Messages;

public partial class Urgent : IRemotePriorityMessage;
