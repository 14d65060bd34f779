using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>The way of one directive through the states.</summary>
public sealed class UpdateEngineTests
{
    [Fact]
    public async Task AGoodReleaseIsCommittedAndASecondOneAfterIt()
    {
        await using var board = new TestBoard();
        board.Start();
        var first = board.Publish(1, securityEpoch: 2);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(first))).Result);
        Assert.Equal((first.Id, first.Id), (board.Releases.Active, board.Releases.LastGood));
        var floors = board.Files.ReadFloors().Value!;
        Assert.Equal((1, 2), (floors.Counter, floors.SecurityEpoch));
        var second = board.Publish(2, securityEpoch: 2);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(second))).Result);
        Assert.Equal((second.Id, second.Id), (board.Releases.Active, board.Releases.LastGood));
        Assert.Equal([null, first.Id, second.Id], board.Served);
        Assert.False(Directory.Exists(board.Layout.Release(first.Id)), "the old release is collected");
        Assert.Equal(2, board.Outcomes().Count);
    }
}
