using Dunlin.Agent.Updates;
using Dunlin.TestKit;

namespace Dunlin.Agent.Tests.Updates;

public sealed class TrustedClockTests
{
    [Theory]
    [InlineData(0, false, true)]
    [InlineData(5, true, false)]
    [InlineData(-1, false, false)]
    [InlineData(-1, true, true)]
    public void TheKernelSaysWhetherItsClockIsSynchronizedAndWhereItMayNotTimesyncdDoes(int kernelState, bool isMarked, bool expected) =>
        Assert.Equal(expected, TrustedClock.IsSynchronized(kernelState, isMarked ? RepositoryFolder.Root + "/README.md" : "/run/none"));
}
