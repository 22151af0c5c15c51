using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Tests.Golden;

/// <summary>A batch, byte by byte: tables, indexes, request ids, headers.</summary>
public sealed class BatchBytesTests
{
    const string OneMessage = """
        0A 19                                           // message_batch = 1, 25 bytes
          0A 0E 70 72 6F 74 6F 74 65 73 74 2E 50 69 6E 67 // type_names = 1: "prototest.Ping"
          12 01 74                                      // targets = 2: "t"
          1A 04                                         // envelopes = 3: type 0, target 0, serializer 0 and sender "none" are left out
            12 02 08 07                                 // message_data = 2: Ping { number = 1: 7 }
        """;

    const string Everything = """
        0A 6D                                           // message_batch = 1, 109 bytes
          0A 0E 70 72 6F 74 6F 74 65 73 74 2E 50 69 6E 67 // type_names[0]: "prototest.Ping"
          0A 0E 70 72 6F 74 6F 74 65 73 74 2E 50 6F 6E 67 // type_names[1]: "prototest.Pong"
          12 01 74                                      // targets[0]: "t"
          12 03 24 37 78                                // targets[1]: "$7x"
          1A 08                                         // envelopes
            12 02 08 07                                 //   message_data = 2
            20 01                                       //   sender = 4: 1, the first of senders (1-based)
            40 05                                       //   sender_request_id = 8: 5
          1A 1D                                         // envelopes
            08 01                                       //   type_id = 1: 1
            12 02 08 01                                 //   message_data = 2
            18 01                                       //   target = 3: 1
            20 02                                       //   sender = 4: 2
            32 08                                       //   message_header = 6
              0A 06                                     //     header_data = 1, an entry
                0A 01 6B                                //       key = 1: "k"
                12 01 76                                //       value = 2: "v"
            38 AC 02                                    //   target_request_id = 7: 300
            40 FF FF FF FF 0F                           //   sender_request_id = 8: 4294967295
          1A 07                                         // envelopes
            08 01                                       //   type_id = 1: 1, a Pong with defaults only has no message_data
            20 01                                       //   sender = 4: 1
            38 80 01                                    //   target_request_id = 7: 128
          22 03                                         // senders[0]
            12 01 73                                    //   Id = 2: "s"; an empty address is the sending system's
          22 0C                                         // senders[1]
            0A 07 74 68 69 72 64 3A 33                  //   Address = 1: "third:3"
            12 01 7A                                    //   Id = 2: "z"; senders have no request id in the table
        """;

    [Fact]
    public void A_message_without_sender()
    {
        Assert.Equal(GoldenBytes.Of(OneMessage), GoldenBytes.Encode(new OutgoingMessage(new PID("peer:2", "t"), new Ping { Number = 7 }, null, null)));

        var received = Assert.Single(GoldenBytes.Decode(GoldenBytes.Of(OneMessage)));
        Assert.Equal(new GoldenBytes.Received("prototest.Ping", 0, new Ping { Number = 7 }, "t", 0, "", 0, ""), received);
    }

    [Fact]
    public void Tables_senders_request_ids_and_headers()
    {
        var own = new PID("own:1", "s");
        var third = new PID("third:3", "z");
        var header = Proto.MessageHeader.Empty.With("k", "v");
        OutgoingMessage[] sent =
        [
            new(new PID("peer:2", "t"), new Ping { Number = 7 }, own.WithRequestId(5), null),
            new(new PID("peer:2", "$7x") { RequestId = 300 }, new Pong { Number = 1 }, third.WithRequestId(uint.MaxValue), header),
            new(new PID("peer:2", "t") { RequestId = 128 }, new Pong(), own, null),
        ];

        Assert.Equal(GoldenBytes.Of(Everything), GoldenBytes.Encode(sent));
        Assert.Equal(
            [
                new("prototest.Ping", 0, new Ping { Number = 7 }, "t", 0, "peer:2/s", 5, ""),
                new("prototest.Pong", 0, new Pong { Number = 1 }, "$7x", 300, "third:3/z", uint.MaxValue, "k=v"),
                new("prototest.Pong", 0, new Pong(), "t", 128, "peer:2/s", 0, ""),
            ],
            GoldenBytes.Decode(GoldenBytes.Of(Everything)));
    }

    [Fact]
    public void A_reader_without_schema_reads_the_same()
    {
        var batch = RawMessage.Parse(GoldenBytes.Of(Everything)).Message(1);

        Assert.Equal(["prototest.Ping", "prototest.Pong"], batch.Texts(1));
        Assert.Equal(["t", "$7x"], batch.Texts(2));
        var envelopes = batch.Messages(3);
        Assert.Equal([0ul, 1, 1], envelopes.Select(envelope => envelope.Number(1)));
        Assert.Equal([7ul, 1, 0], envelopes.Select(envelope => RawMessage.Parse(envelope.Bytes(2)).Number(1)));
        Assert.Equal([0ul, 1, 0], envelopes.Select(envelope => envelope.Number(3)));
        Assert.Equal([1ul, 2, 1], envelopes.Select(envelope => envelope.Number(4)));
        Assert.Equal([0ul, 0, 0], envelopes.Select(envelope => envelope.Number(5)));
        var entry = envelopes[1].Message(6).Message(1);
        Assert.Equal(("k", "v"), (entry.Text(1), entry.Text(2)));
        Assert.Equal([0ul, 300, 128], envelopes.Select(envelope => envelope.Number(7)));
        Assert.Equal([5ul, uint.MaxValue, 0], envelopes.Select(envelope => envelope.Number(8)));
        var senders = batch.Messages(4);
        Assert.Equal([("", "s"), ("third:3", "z")], senders.Select(sender => (sender.Text(1), sender.Text(2))));
        Assert.All(senders, sender => Assert.Equal(0ul, sender.Number(3)));
    }

    /// <summary>Protobuf promises no order of fields, other implementations have theirs, and later versions may have more fields.</summary>
    [Fact]
    public void Fields_in_another_order_and_unknown_fields_mean_the_same()
    {
        var batch = GoldenBytes.Of("""
            0A 2C                                           // message_batch
              22 05 18 09 12 01 73                          // senders first, with a request id that does not count
              1A 0D                                         // the envelope before the tables it needs
                40 05 38 06                                 //   request ids before the rest
                20 01
                12 02 08 07
                F2 3F 00                                    //   field 1022, empty
              12 01 74
              9A 06 00                                      // field 99, empty
              0A 0E 70 72 6F 74 6F 74 65 73 74 2E 50 69 6E 67
            """);

        Assert.Equal(
            [new GoldenBytes.Received("prototest.Ping", 0, new Ping { Number = 7 }, "t", 6, "peer:2/s", 5, "")],
            GoldenBytes.Decode(batch));
    }

    [Fact]
    public void A_negative_index_is_refused()
    {
        // type_id = 1: -1, as protobuf writes a negative int32
        var batch = GoldenBytes.Of("0A 01 54 12 01 74 1A 0B 08 FF FF FF FF FF FF FF FF FF 01");

        var refused = Assert.Throws<GrpcException>(() => GoldenBytes.Decode([0x0A, (byte)batch.Length, .. batch]));

        Assert.Equal(GrpcStatusCode.InvalidArgument, refused.Status.Code);
    }
}
