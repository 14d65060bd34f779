using Dunlin.Agent.Children;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Children;

public sealed class PatienceTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource<int> _done = new();

    [Fact]
    public async Task AStandstillOfTheBoardTakesAtMostASecondOfIt()
    {
        var wait = Patience.WaitAsync(_done.Task, Limit, _time, TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromMinutes(1));
        _done.SetResult(7);
        Assert.Equal(7, await wait);
    }

    [Fact]
    public async Task ItEndsAlsoWhereTheBoardStandsStillAgainAndAgain()
    {
        var wait = Patience.WaitAsync(_done.Task, Limit, _time, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(5));
                return wait.IsCompleted;
            },
            "the patience was over");
        await Assert.ThrowsAsync<TimeoutException>(() => wait);
    }
}
