using System.Buffers;
using System.Text;

namespace Grpc.Core;

public sealed partial class Metadata
{
    /// <summary>One header.</summary>
    public sealed class Entry
    {
        static readonly SearchValues<char> KeyCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

        readonly byte[]? _bytes;
        readonly string? _text;

        /// <param name="key">Letters, digits, <c>-</c>, <c>_</c> and <c>.</c>; it is sent in lower case.</param>
        /// <param name="value">Printable ASCII.</param>
        /// <exception cref="ArgumentException">The key or the value cannot stand in a header.</exception>
        public Entry(string key, string value)
        {
            Key = Checked(key);
            if (IsBinary) throw new ArgumentException($"the key '{Key}' ends with {BinaryHeaderSuffix}: its value is bytes", nameof(key));
            ArgumentNullException.ThrowIfNull(value);
            // The value may be a secret: the message does not show it.
            if (value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
                throw new ArgumentException($"the value of the header '{Key}' has a character that is not printable ASCII", nameof(value));
            _text = value;
        }

        /// <param name="key">Ends with <see cref="BinaryHeaderSuffix"/>.</param>
        /// <param name="valueBytes">Any bytes.</param>
        /// <exception cref="ArgumentException">The key does not name a binary header.</exception>
        public Entry(string key, byte[] valueBytes)
        {
            Key = Checked(key);
            if (!IsBinary) throw new ArgumentException($"the key '{Key}' of a binary header must end with {BinaryHeaderSuffix}", nameof(key));
            ArgumentNullException.ThrowIfNull(valueBytes);
            _bytes = [.. valueBytes];
        }

        public string Key { get; }

        public bool IsBinary => Key.EndsWith(BinaryHeaderSuffix, StringComparison.Ordinal);

        /// <exception cref="InvalidOperationException">The value is bytes.</exception>
        public string Value => _text ?? throw new InvalidOperationException($"the value of '{Key}' is bytes");

        public byte[] ValueBytes => [.. _bytes ?? Encoding.ASCII.GetBytes(_text!)];

        /// <summary>The key only: values are often secrets.</summary>
        public override string ToString() => $"[Entry: key={Key}]";

        static string Checked(string key)
        {
            ArgumentException.ThrowIfNullOrEmpty(key);
            var lower = key.ToLowerInvariant();
            return lower.AsSpan().ContainsAnyExcept(KeyCharacters)
                ? throw new ArgumentException($"the header key '{key}' may have only letters, digits, '-', '_' and '.'", nameof(key))
                : lower;
        }
    }
}
