using Proto.Deterministic.Tests.Messages;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace Proto.Deterministic.Tests.Scenarios;

static class Nodes
{
    public static ActorSystem CreateRemote(this DeterministicWorld world, string name) =>
        world.CreateSystem(name).WithRemote(GrpcNetRemoteConfig.BindToAllInterfaces(name).WithProtoMessages(TestMessagesReflection.Descriptor));

    public static ActorSystem CreateClient(this DeterministicWorld world, string name) =>
        world.CreateSystem(name).WithClientRemote(GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(TestMessagesReflection.Descriptor));

    public static async Task ShutDownAsync(params IEnumerable<ActorSystem> systems)
    {
        foreach (var system in systems)
        {
            await system.Remote().ShutdownAsync();
            await system.ShutdownAsync();
        }
    }
}
