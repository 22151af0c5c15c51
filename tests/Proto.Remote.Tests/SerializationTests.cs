using System.Globalization;
using Google.Protobuf;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

public sealed class SerializationTests
{
    [Fact]
    public async Task A_custom_serializer_with_higher_priority_is_taken_and_found_by_its_id()
    {
        await using var a = await TestNode.StartAsync(config => config.WithSerializer(17, 10, new NumberSerializer()));
        await using var b = await TestNode.StartAsync(config => config.WithSerializer(17, -5000, new NumberSerializer()));
        var inbox = b.SpawnInbox("inbox", out _);

        a.Root.Send(b.Of("inbox"), 42L);

        Assert.Equal(42L, await inbox.ReadAsync(TestNode.Soon()));
    }

    [Fact]
    public async Task A_root_serializable_travels_in_its_wire_form_and_arrives_as_itself()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync(config => config.WithSerializer(18, 10, new WireFormSerializer()));
        a.System.Serialization().RegisterSerializer(18, 10, new WireFormSerializer());
        var inbox = b.SpawnInbox("inbox", out _);

        a.Root.Send(b.Of("inbox"), new Temperature(36.6));

        Assert.Equal(new Temperature(36.6), await inbox.ReadAsync(TestNode.Soon()));
    }

    [Fact]
    public void A_serializer_is_chosen_anew_when_one_is_added()
    {
        var serialization = new Serialization();
        Assert.Throws<UnknownMessageTypeException>(() => serialization.Serialize(new Ping()));

        serialization.RegisterFileDescriptor(TestMessagesReflection.Descriptor);

        var (bytes, typeName, serializerId) = serialization.Serialize(new Ping { Number = 3 });
        Assert.Equal("prototest.Ping", typeName);
        Assert.Equal(Serialization.SERIALIZER_ID_PROTOBUF, serializerId);
        Assert.Equal(3, Assert.IsType<Ping>(serialization.Deserialize(typeName, bytes, serializerId)).Number);
    }

    sealed class NumberSerializer : ISerializer
    {
        public bool CanSerialize(object obj) => obj is long;

        public ByteString Serialize(object obj) => ByteString.CopyFromUtf8(((long)obj).ToString(CultureInfo.InvariantCulture));

        public object Deserialize(ByteString bytes, string typeName) => long.Parse(bytes.ToStringUtf8(), CultureInfo.InvariantCulture);

        public string GetTypeName(object message) => "number";
    }

    sealed record Temperature(double Celsius) : IRootSerializable
    {
        public IRootSerialized Serialize(ActorSystem system) => new WireForm(Celsius * 1000);
    }

    sealed record WireForm(double MilliCelsius) : IRootSerialized
    {
        public IRootSerializable Deserialize(ActorSystem system) => new Temperature(MilliCelsius / 1000);
    }

    sealed class WireFormSerializer : ISerializer
    {
        public bool CanSerialize(object obj) => obj is WireForm;

        public ByteString Serialize(object obj) => ByteString.CopyFrom(BitConverter.GetBytes(((WireForm)obj).MilliCelsius));

        public object Deserialize(ByteString bytes, string typeName) => new WireForm(BitConverter.ToDouble(bytes.Span));

        public string GetTypeName(object message) => "wire form";
    }
}
