namespace Proto;

/// <summary>A stack of receive functions; the top one handles the messages. An actor forwards its <c>ReceiveAsync</c> here to change roles.</summary>
public sealed class Behavior
{
    private readonly Stack<Receive> _behaviors = new();

    public Behavior() { }

    public Behavior(Receive receive) => Become(receive);

    /// <summary>Replaces all.</summary>
    public void Become(Receive receive)
    {
        _behaviors.Clear();
        _behaviors.Push(receive);
    }

    /// <summary>Puts one on top, to go back from with <see cref="UnbecomeStacked"/>.</summary>
    public void BecomeStacked(Receive receive) => _behaviors.Push(receive);

    /// <exception cref="InvalidOperationException">Nothing is stacked.</exception>
    public void UnbecomeStacked() => _behaviors.Pop();

    public Task ReceiveAsync(IContext context) =>
        _behaviors.TryPeek(out var receive)
            ? receive(context)
            : throw new InvalidOperationException("the behavior is empty: call Become first");
}
