using System.Collections;
using System.Text.Encodings.Web;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace ActorCluster.Protocol;

/// <summary>
/// Protobuf messages as JSON for people and scripts, the same in the HTTP API and in <c>actorctl --json</c>: lowerCamelCase
/// names, numbers as numbers, enums by their C# names, fixed64 (node uids, hashes) as 16 hexadecimal digits.
/// One way only; it is not protobuf's own JSON mapping, which writes 64-bit numbers as text.
/// </summary>
public static class ProtobufJson
{
    public static void Write(Utf8JsonWriter json, IMessage message)
    {
        json.WriteStartObject();
        foreach (var field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (field.HasPresence && !field.Accessor.HasValue(message)) continue;
            json.WritePropertyName(field.JsonName);
            var value = field.Accessor.GetValue(message);
            if (field.IsMap) WriteMap(json, field, (IDictionary)value);
            else if (field.IsRepeated) WriteList(json, field, (IList)value);
            else WriteValue(json, field, value);
        }

        json.WriteEndObject();
    }

    /// <summary>The message as one line of JSON, or indented.</summary>
    public static string ToText(IMessage message, bool indented = false)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) Write(json, message);
        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    static void WriteList(Utf8JsonWriter json, FieldDescriptor field, IList values)
    {
        json.WriteStartArray();
        foreach (var value in values) WriteValue(json, field, value);
        json.WriteEndArray();
    }

    static void WriteMap(Utf8JsonWriter json, FieldDescriptor field, IDictionary values)
    {
        json.WriteStartObject();
        foreach (DictionaryEntry entry in values)
        {
            json.WritePropertyName(Convert.ToString(entry.Key, System.Globalization.CultureInfo.InvariantCulture) ?? "");
            WriteValue(json, field.MessageType.FindFieldByNumber(2), entry.Value);
        }

        json.WriteEndObject();
    }

    static void WriteValue(Utf8JsonWriter json, FieldDescriptor field, object? value)
    {
        switch (value)
        {
            case null: json.WriteNullValue(); break;
            case IMessage message: Write(json, message); break;
            case ulong id when field.FieldType == FieldType.Fixed64: json.WriteStringValue(new NodeUid(id).ToString()); break;
            case bool truth: json.WriteBooleanValue(truth); break;
            case string text: json.WriteStringValue(text); break;
            case ByteString bytes: json.WriteBase64StringValue(bytes.Span); break;
            case int number: json.WriteNumberValue(number); break;
            case uint number: json.WriteNumberValue(number); break;
            case long number: json.WriteNumberValue(number); break;
            case ulong number: json.WriteNumberValue(number); break;
            case float number: json.WriteNumberValue(number); break;
            case double number: json.WriteNumberValue(number); break;
            default: json.WriteStringValue(value.ToString()); break; // an enum: its C# name
        }
    }
}
