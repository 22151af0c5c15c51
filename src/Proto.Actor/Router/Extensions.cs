namespace Proto.Router;

/// <summary>
/// Props of routers. A group routes to processes that exist already, a pool spawns its routees as children of the router. Messages keep their sender,
/// so that the routee answers it directly. A routee that ends is forgotten; a pool replaces it. A message without a routee is a dead letter.
/// </summary>
public static class Extensions
{
    private const int DefaultReplicaCount = 100;

    /// <summary>Every message goes to all.</summary>
    public static Props NewBroadcastGroup(this ISenderContext senderContext, params PID[] routees) =>
        RouterProps.Group(static _ => new BroadcastRouting(), routees);

    /// <inheritdoc cref="NewBroadcastGroup"/>
    public static Props NewBroadcastPool(this ISenderContext senderContext, Props props, int poolSize) =>
        RouterProps.Pool(static _ => new BroadcastRouting(), props, poolSize);

    /// <summary>One after the other.</summary>
    public static Props NewRoundRobinGroup(this ISenderContext senderContext, params PID[] routees) =>
        RouterProps.Group(static _ => new RoundRobinRouting(), routees);

    /// <inheritdoc cref="NewRoundRobinGroup"/>
    public static Props NewRoundRobinPool(this ISenderContext senderContext, Props props, int poolSize) =>
        RouterProps.Pool(static _ => new RoundRobinRouting(), props, poolSize);

    /// <summary>Any of them.</summary>
    public static Props NewRandomGroup(this ISenderContext senderContext, params PID[] routees) =>
        RouterProps.Group(static system => Random(system, null), routees);

    /// <summary>Any of them, in an order that the seed fixes.</summary>
    public static Props NewRandomGroup(this ISenderContext senderContext, int seed, params PID[] routees) =>
        RouterProps.Group(system => Random(system, seed), routees);

    /// <inheritdoc cref="NewRandomGroup(ISenderContext, int, PID[])"/>
    public static Props NewRandomPool(this ISenderContext senderContext, Props props, int poolSize, int? seed = null) =>
        RouterProps.Pool(system => Random(system, seed), props, poolSize);

    /// <summary>Messages with the same <see cref="IHashable.HashBy"/> go to the same routee, as long as it is there.</summary>
    public static Props NewConsistentHashGroup(this ISenderContext senderContext, params PID[] routees) =>
        senderContext.NewConsistentHashGroup(MurmurHash2.Hash, DefaultReplicaCount, null, routees);

    /// <inheritdoc cref="NewConsistentHashPool"/>
    public static Props NewConsistentHashGroup(this ISenderContext senderContext, Func<object, string> messageHasher, params PID[] routees) =>
        senderContext.NewConsistentHashGroup(MurmurHash2.Hash, DefaultReplicaCount, messageHasher, routees);

    /// <inheritdoc cref="NewConsistentHashPool"/>
    public static Props NewConsistentHashGroup(
        this ISenderContext senderContext, Func<string, uint> hash, int replicaCount, params PID[] routees) =>
        senderContext.NewConsistentHashGroup(hash, replicaCount, null, routees);

    /// <inheritdoc cref="NewConsistentHashPool"/>
    public static Props NewConsistentHashGroup(
        this ISenderContext senderContext, Func<string, uint> hash, int replicaCount, Func<object, string>? messageHasher, params PID[] routees)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicaCount, 1);
        return RouterProps.Group(_ => new ConsistentHashRouting(hash, replicaCount, messageHasher), routees);
    }

    /// <summary>Messages with the same key go to the same routee, as long as it is there.</summary>
    /// <param name="senderContext">Any context.</param>
    /// <param name="props">Of the routees.</param>
    /// <param name="poolSize">How many routees.</param>
    /// <param name="hash">Hash of a key; null: <see cref="MurmurHash2"/>.</param>
    /// <param name="replicaCount">Points of a routee on the ring. More spread the keys more evenly.</param>
    /// <param name="messageHasher">Key of a message; null, or where it returns null: <see cref="IHashable.HashBy"/>.</param>
    public static Props NewConsistentHashPool(
        this ISenderContext senderContext,
        Props props,
        int poolSize,
        Func<string, uint>? hash = null,
        int replicaCount = DefaultReplicaCount,
        Func<object, string>? messageHasher = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicaCount, 1);
        return RouterProps.Pool(_ => new ConsistentHashRouting(hash ?? MurmurHash2.Hash, replicaCount, messageHasher), props, poolSize);
    }

    private static RandomRouting Random(ActorSystem system, int? seed) =>
        new(seed is { } fixedSeed ? new Random(fixedSeed).NextDouble : system.Config.Runtime.NextDouble);
}
