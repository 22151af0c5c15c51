namespace Proto.Extensions;

/// <summary>A part that plugs into an actor system, for example remoting or the cluster.</summary>
public interface IActorSystemExtension;

/// <typeparam name="T">The type under which the extension is found; usually the implementing class or its interface.</typeparam>
public interface IActorSystemExtension<T> : IActorSystemExtension where T : IActorSystemExtension;

/// <summary>The extensions of one system, one per type.</summary>
public sealed class ActorSystemExtensions
{
    private static int s_lastSlot = -1;

    private readonly Lock _gate = new();
    private volatile IActorSystemExtension?[] _bySlot = [];
    private readonly List<IActorSystemExtension> _inOrder = [];

    internal ActorSystemExtensions() { }

    public T? Get<T>() where T : IActorSystemExtension
    {
        var extensions = _bySlot;
        var slot = Slot<T>.Index;
        return slot < extensions.Length ? (T?)extensions[slot] : default;
    }

    public T GetRequired<T>(string? notFoundMessage = null) where T : IActorSystemExtension =>
        Get<T>() ?? throw new InvalidOperationException(notFoundMessage ?? $"the actor system has no extension {typeof(T).Name}");

    public void Register<T>(IActorSystemExtension<T> extension) where T : IActorSystemExtension
    {
        lock (_gate)
        {
            var slot = Slot<T>.Index;
            var copy = _bySlot.ToArray();
            if (copy.Length <= slot) Array.Resize(ref copy, slot + 1);
            copy[slot] = extension;
            _bySlot = copy;
            if (!_inOrder.Contains(extension)) _inOrder.Add(extension);
        }
    }

    /// <summary>Each extension once, also when it is registered under several types; in order of registration.</summary>
    internal IActorSystemExtension[] InOrder()
    {
        lock (_gate) return [.. _inOrder];
    }

    private static class Slot<T>
    {
        public static readonly int Index = Interlocked.Increment(ref s_lastSlot);
    }
}
