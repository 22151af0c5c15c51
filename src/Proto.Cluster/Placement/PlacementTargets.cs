namespace Proto.Cluster.Placement;

/// <summary>A topology with the PIDs of one actor on each of its members; they remember how to reach it.</summary>
sealed class PlacementTargets(PlacementView view, string actorName)
{
    public static readonly PlacementTargets None = new(PlacementView.Empty, "");

    readonly Dictionary<string, PID> _pids = view.Members.ToDictionary(
        member => member.Id, member => PID.FromAddress(member.Address, actorName), StringComparer.Ordinal);

    public PlacementView View => view;

    public PID At(Member member) => _pids[member.Id];
}
