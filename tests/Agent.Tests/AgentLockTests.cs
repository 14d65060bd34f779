using Dunlin.Contracts.Updates;
using Dunlin.TestKit;

namespace Dunlin.Agent.Tests;

public sealed class AgentLockTests
{
    [Fact]
    public void AStateDirectoryIsHeldAsLongAsItsAgentRuns()
    {
        using var folder = new TemporaryFolder();
        var layout = new StateLayout(folder.Path);
        Assert.False(AgentLock.IsHeld(layout));
        using (var taken = AgentLock.TryTake(layout))
        {
            Assert.NotNull(taken);
            Assert.True(AgentLock.IsHeld(layout));
            Assert.Null(AgentLock.TryTake(layout));
        }

        Assert.False(AgentLock.IsHeld(layout));
        using var again = AgentLock.TryTake(layout);
        Assert.NotNull(again);
    }

    [Fact]
    public void WhereThereIsNoDirectoryNobodyHoldsIt()
    {
        var layout = new StateLayout("/nowhere/state");
        Assert.Null(AgentLock.TryTake(layout));
        Assert.False(AgentLock.IsHeld(layout));
    }
}
