using ActorCluster.Protocol;

namespace ActorCluster.Raft.Storage.Offline;

/// <summary>
/// Gives a group that lost its majority for good to the one replica that is left: it alone votes from then on. This breaks what
/// consensus promises: whatever the lost replicas committed and this one does not hold is gone, and what it holds and nobody
/// committed is committed. If one of the others ever comes back, two histories exist. For nobody but an operator who knows that.
/// </summary>
public static class ForcedRecovery
{
    /// <summary>
    /// The term is raised by this: far above any that the lost majority can have reached meanwhile, so that no entry of theirs can have the
    /// index and the term of one of ours.
    /// </summary>
    public const ulong TermStep = 1_000_000;

    /// <summary>Longest note, in characters.</summary>
    public const int MaxNoteChars = 1000;

    /// <param name="files">The disk.</param>
    /// <param name="dataDirectory">The data directory; its lock is held by the caller.</param>
    /// <param name="self">The node of the directory.</param>
    /// <param name="groups">Which groups; none: all.</param>
    /// <param name="note">Who, when and why. Kept in the log as long as the group exists.</param>
    /// <returns>What each group has become.</returns>
    /// <exception cref="ArgumentException">A group is not in the log, or the note is empty or too long.</exception>
    /// <exception cref="StorageException">The log cannot be opened.</exception>
    public static IReadOnlyList<RecoveredAlone> Run(IFileSystem files, string dataDirectory, NodeUid self, IReadOnlyCollection<GroupId> groups, string note)
    {
        if (note.Length is 0 or > MaxNoteChars) throw new ArgumentException($"the note must have 1 to {MaxNoteChars} characters", nameof(note));
        if (!NodeLog.Exists(files, Path.Combine(dataDirectory, NodeStorage.LogDirectory))) throw new ArgumentException($"there is no log in '{dataDirectory}'", nameof(dataDirectory));
        using var storage = NodeStorage.Open(files, dataDirectory);
        var known = storage.Groups.ToDictionary(g => g.Group);
        foreach (var group in groups)
        {
            if (!known.ContainsKey(group)) throw new ArgumentException($"group {group} has no replica in '{dataDirectory}'; there are: {string.Join(", ", known.Keys)}", nameof(groups));
        }

        var done = new List<RecoveredAlone>();
        foreach (var group in groups.Count > 0 ? groups.Distinct().Order() : known.Keys.Order())
        {
            var (index, term) = storage.Log.RecoverAlone(group, self, note);
            done.Add(new RecoveredAlone(group, index - 1, term, known[group].Suspicion));
        }

        storage.Log.Sync();
        storage.Log.Seal();
        return done;
    }
}

/// <param name="Group">The group.</param>
/// <param name="LastIndex">Its log up to here is what the group is from now on.</param>
/// <param name="Term">The new term.</param>
/// <param name="Suspicion">Why the replica was suspect, that is, what may be missing from that log; null when it was not.</param>
public sealed record RecoveredAlone(GroupId Group, ulong LastIndex, ulong Term, Suspicion? Suspicion);
