namespace Proto;

/// <summary>What is known of a message that a <see cref="DeadLetterEvent"/> reports.</summary>
public enum DeliveryOutcome
{
    /// <summary>It certainly reached nobody.</summary>
    NotDelivered,

    /// <summary>It was on its way to another system when the connection was lost: it may have arrived.</summary>
    Unknown,
}
