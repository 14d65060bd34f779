using Dunlin.Agent.Children;
using Dunlin.Agent.Tests.Updates;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Children;

/// <summary>A process that says nothing, under a clock of the test's; what a worker says, the test does.</summary>
public sealed class WorkerLifeTests : IDisposable
{
    private static readonly SessionSpec Session = SampleWindows.Session(Digest.Of("release"u8));

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task TimeInWhichTheWholeBoardStoodStillIsNoSilenceOfTheWorker()
    {
        var (life, child) = await ServingAsync();
        await using (child)
        {
            Watch(life, seconds: 1);
            // Twice, since after the first one nothing may be left of what it is worth.
            for (var i = 0; i < 2; i++)
            {
                _time.Advance(TimeSpan.FromSeconds(60));
                life.Watch();
            }

            Watch(life, seconds: 1);
            life.Receive(new Heartbeat { Classified = 1 });
            Watch(life, seconds: 7);
            var exit = await child.Exited.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
            Assert.Equal(ChildExitCodes.Hung, exit.Code);
            Assert.Contains("no heartbeat for 6.0 s", exit.Reason, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task AWorkerThatHangsIsFoundAlsoWhereTheWatchIsAlwaysLate()
    {
        var (life, child) = await ServingAsync();
        await using (child)
        {
            for (var i = 0; i < 10; i++)
            {
                _time.Advance(3 * WorkerLife.WatchPeriod);
                life.Watch();
            }

            Assert.Equal(ChildExitCodes.Hung, (await child.Exited.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken)).Code);
        }
    }

    [Fact]
    public async Task ASessionThatIsUpAfterAStandstillOfTheBoardIsNotTooLate()
    {
        var (life, child) = await ServingAsync();
        await using (child)
        {
            var next = Session with { Contender = Session.Contender with { Threads = 2 } };
            var swap = life.SwapAsync(next, new WorkerLimits(), TestContext.Current.CancellationToken);
            _time.Advance(TimeSpan.FromSeconds(600));
            life.Receive(new Loaded { Contender = next.Contender, LoadMilliseconds = 1 });
            Assert.Equal(HeatOutcome.Answered, (await swap).Code);
        }
    }

    public void Dispose() => _folder.Dispose();

    private void Watch(WorkerLife life, int seconds)
    {
        for (var i = 0; i < seconds; i++)
        {
            _time.Advance(WorkerLife.WatchPeriod);
            life.Watch();
        }
    }

    private async Task<(WorkerLife Life, ChildProcess Child)> ServingAsync()
    {
        var load = new Load { Session = Session, Camera = new CameraSpec { Kind = CameraKind.Folder, Source = _folder.Path }, Loop = new LoopSpec { WindowMilliseconds = 500 } };
        var life = new WorkerLife(load, new WorkerLimits(), new WorkerEvents(), _time);
        var child = await ChildProcess.StartAsync(TestChildren.Shell(_folder, "sleep 600 & wait"), life.Receive, new Lines<ChildProcess>(), _time);
        life.Begin(child);
        life.Receive(TestChildren.Greeting);
        life.Receive(new Loaded { Contender = Session.Contender, LoadMilliseconds = 1 });
        return (life, child);
    }
}
