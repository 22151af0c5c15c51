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

    [Fact]
    public void The_highest_priority_that_takes_the_type_decides_and_is_asked_once_per_type()
    {
        var serialization = new Serialization();
        var high = new CountingSerializer();
        serialization.RegisterSerializer(20, 5, new NumberSerializer());
        serialization.RegisterSerializer(21, 7, high);

        for (var i = 0; i < 100; i++) Assert.Equal(21, serialization.Serialize(1L).serializerId);

        Assert.Equal(1, high.Asked);
    }

    [Fact]
    public void A_json_name_from_the_wire_never_decides_which_class_is_loaded()
    {
        var serialization = new Serialization();

        var refused = Assert.Throws<UnknownMessageTypeException>(() => serialization.Deserialize(
            typeof(System.Diagnostics.ProcessStartInfo).AssemblyQualifiedName!, ByteString.CopyFromUtf8("{}"), Serialization.SERIALIZER_ID_JSON));

        Assert.Contains("ProcessStartInfo", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_size_of_a_message_is_estimated_without_serialising_it_again_rather_too_high_than_too_low()
    {
        var system = new ActorSystem();
        var serialization = new Serialization();
        serialization.RegisterFileDescriptor(TestMessagesReflection.Descriptor);
        var numbers = new CountingSerializer();
        serialization.RegisterSerializer(21, 7, numbers);
        var ping = new Ping { Text = "text" };

        Assert.Equal(ping.CalculateSize(), serialization.EstimateBytes(system, ping));
        Assert.Equal(3, serialization.EstimateBytes(system, 123L));
        Assert.Equal(3, serialization.EstimateBytes(system, 1234567L));
        Assert.Equal(1, numbers.Serialized);
        serialization.Measured(typeof(long), 1000);
        Assert.Equal(1000, serialization.EstimateBytes(system, 1L));
        serialization.Measured(typeof(long), 1);
        Assert.InRange(serialization.EstimateBytes(system, 1L), 800, 999);
        Assert.Equal(0, serialization.EstimateBytes(system, new object()));
    }

    sealed class CountingSerializer : ISerializer
    {
        readonly NumberSerializer _numbers = new();

        public int Asked { get; private set; }

        public int Serialized { get; private set; }

        public bool CanSerialize(object obj)
        {
            Asked++;
            return _numbers.CanSerialize(obj);
        }

        public ByteString Serialize(object obj)
        {
            Serialized++;
            return _numbers.Serialize(obj);
        }

        public object Deserialize(ByteString bytes, string typeName) => _numbers.Deserialize(bytes, typeName);

        public string GetTypeName(object message) => _numbers.GetTypeName(message);
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
