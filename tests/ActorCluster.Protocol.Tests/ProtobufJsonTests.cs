using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Protocol.Tests;

public class ProtobufJsonTests
{
    [Fact]
    public void Members_read_as_people_expect()
    {
        var members = new Members { ClusterId = "c1", View = 7, AnsweredBy = "n1", Formed = true };
        members.Members_.Add(new Member { Uid = 0xab, Name = "n1", State = MemberState.Up, Incarnation = ulong.MaxValue, CoordinatorVoter = true });

        Assert.Equal(
            """{"clusterId":"c1","view":7,"members":[{"uid":"00000000000000ab","name":"n1","address":"","httpAddress":"","state":"Up","incarnation":18446744073709551615,"view":0,"evidence":"","replicas":0,"leads":0,"coordinatorVoter":true,"note":"","version":"","systemId":"","kinds":[]}],"answeredBy":"n1","waitingFor":[],"formed":true}""",
            ProtobufJson.ToText(members));
    }

    [Fact]
    public void An_absent_message_is_left_out_and_no_node_is_a_dash()
    {
        var info = new PartitionInfo { Leader = 0, LeaderName = "" };
        Assert.Equal("""{"leader":"-","leaderName":"","leaderAddress":"","term":0,"replicaNames":[]}""", ProtobufJson.ToText(info));
    }
}
