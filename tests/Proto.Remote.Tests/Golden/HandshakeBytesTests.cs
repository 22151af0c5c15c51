using Proto.Remote.Endpoints;

namespace Proto.Remote.Tests.Golden;

/// <summary>The frames around the batches, byte by byte.</summary>
public sealed class HandshakeBytesTests
{
    const string Server = """
        12 19                // connect_request = 2, 25 bytes
          12 17              // server_connection = 2, 23 bytes
            0A 02 6D 31      // member_id = 1: "m1"
            12 08 68 6F 73 74 3A 38 30 30 // address = 2: "host:800"
            1A 02 62 31      // block_list = 3: "b1"
            1A 03 62 32 78   // block_list = 3: "b2x"
        """;

    const string Client = """
        12 07                // connect_request = 2
          0A 05              // client_connection = 1
            0A 03 63 6C 31   // member_id = 1: "cl1"
        """;

    const string Answer = """
        1A 04                // connect_response = 3
          12 02 6D 32        // member_id = 2 (1 is not used): "m2"
        """;

    const string Refusal = """
        1A 06                // connect_response = 3
          12 02 6D 32        // member_id = 2: "m2"
          18 01              // blocked = 3: true
        """;

    const string Farewell = """
        22 00                // disconnect_request = 4, empty
        """;

    [Fact]
    public void A_server_says_its_id_its_address_and_whom_it_blocks()
    {
        var greeting = new ServerConnection { MemberId = "m1", Address = "host:800", BlockList = { "b1", "b2x" } };

        BothWays(Server, new RemoteMessage { ConnectRequest = new ConnectRequest { ServerConnection = greeting } });

        var raw = RawMessage.Parse(GoldenBytes.Of(Server)).Message(2).Message(2);
        Assert.Equal(("m1", "host:800"), (raw.Text(1), raw.Text(2)));
        Assert.Equal(["b1", "b2x"], raw.Texts(3));
    }

    [Fact]
    public void A_client_says_its_id()
    {
        BothWays(Client, new RemoteMessage { ConnectRequest = new ConnectRequest { ClientConnection = new ClientConnection { MemberId = "cl1" } } });

        Assert.Equal("cl1", RawMessage.Parse(GoldenBytes.Of(Client)).Message(2).Message(1).Text(1));
    }

    [Fact]
    public void The_answer_is_an_id()
    {
        BothWays(Answer, new RemoteMessage { ConnectResponse = new ConnectResponse { MemberId = "m2" } });

        var raw = RawMessage.Parse(GoldenBytes.Of(Answer)).Message(3);
        Assert.Equal(("m2", 0ul), (raw.Text(2), raw.Number(3)));
    }

    /// <summary>An addition of this implementation, under a number that others skip.</summary>
    [Fact]
    public void The_answer_may_name_the_largest_message()
    {
        const string WithLimit = """
            1A 08                // connect_response = 3
              12 02 6D 32        // member_id = 2: "m2"
              A0 06 80 08        // max_message_bytes = 100: 1024
            """;

        BothWays(WithLimit, new RemoteMessage { ConnectResponse = new ConnectResponse { MemberId = "m2", MaxMessageBytes = 1024 } });

        Assert.Equal(1024ul, RawMessage.Parse(GoldenBytes.Of(WithLimit)).Message(3).Number(100));
    }

    [Fact]
    public void The_answer_to_a_blocked_caller_says_so()
    {
        BothWays(Refusal, new RemoteMessage { ConnectResponse = new ConnectResponse { MemberId = "m2", Blocked = true } });

        var raw = RawMessage.Parse(GoldenBytes.Of(Refusal)).Message(3);
        Assert.Equal(("m2", 1ul), (raw.Text(2), raw.Number(3)));
    }

    [Fact]
    public void A_farewell_is_empty()
    {
        BothWays(Farewell, new RemoteMessage { DisconnectRequest = new DisconnectRequest() });

        Assert.Equal([4], RawMessage.Parse(GoldenBytes.Of(Farewell)).Order);
    }

    static void BothWays(string golden, RemoteMessage message)
    {
        var bytes = GoldenBytes.Of(golden);
        // gRPC's prefix: not compressed, length in four bytes.
        Assert.Equal([0, 0, 0, 0, (byte)bytes.Length, .. bytes], Handshake.Frame(message));
        Assert.Equal(message, Handshake.Parse(bytes));
        Assert.False(Handshake.TryGetBatch(bytes, out _));
    }
}
