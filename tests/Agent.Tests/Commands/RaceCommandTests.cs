using Dunlin.Agent.Commands;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit;

namespace Dunlin.Agent.Tests.Commands;

public sealed class RaceCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private StateLayout State => new(_folder.Path);

    [Fact]
    public void AnAgentThatRunsBesideTheRaceIsSaid()
    {
        Assert.Null(RaceCommand.NeighbourOf(State));
        using var taken = AgentLock.TryTake(State);
        Assert.Contains("takes cores from it", RaceCommand.NeighbourOf(State), StringComparison.Ordinal);
    }

    [Fact]
    public void WhereThisUserMayNotLookThatIsSaidInstead()
    {
        // Root may look everywhere, but it too is refused a directory where a file is to be opened.
        Directory.CreateDirectory(State.Lock);
        Assert.Contains("cannot be seen whether an agent runs", RaceCommand.NeighbourOf(State), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();
}
