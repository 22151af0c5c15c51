namespace Quickstart;

/// <summary>The words of a text: runs of letters and digits, in lower case.</summary>
static class Words
{
    const int LongestWord = 200; // a longer one is counted in pieces: an identity has a limit

    public static Dictionary<string, long> Count(string text)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var word in Split(text)) counts[word] = counts.GetValueOrDefault(word) + 1;
        return counts;
    }

    /// <summary>The text chunk by chunk, and for each chunk how often each word occurs in it: one message per word and chunk.</summary>
    public static IEnumerable<(string Word, long Amount)> CountByChunk(string text, int wordsPerChunk)
    {
        var chunk = new Dictionary<string, long>(StringComparer.Ordinal);
        var words = 0;
        foreach (var word in Split(text))
        {
            chunk[word] = chunk.GetValueOrDefault(word) + 1;
            if (++words % wordsPerChunk != 0) continue;
            foreach (var (counted, amount) in chunk) yield return (counted, amount);
            chunk.Clear();
        }

        foreach (var (counted, amount) in chunk) yield return (counted, amount);
    }

    static IEnumerable<string> Split(string text)
    {
        var start = -1;
        for (var i = 0; i <= text.Length; i++)
        {
            var inWord = i < text.Length && char.IsLetterOrDigit(text[i]);
            if (inWord && start < 0) start = i;
            if (start < 0 || (inWord && i - start < LongestWord)) continue;
            yield return text[start..i].ToLowerInvariant();
            start = inWord ? i : -1;
        }
    }
}
