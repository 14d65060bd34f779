using CsCheck;
using Dunlin.Agent.Updates;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>
/// Row 41: whatever happens in whatever order — directives, redeliveries, restarts, a link that comes and goes, a disk that
/// fails — the device ends at the newest directive that it may follow, with one outcome each and floors that never fell.
/// </summary>
public sealed class ConvergenceTests
{
    private enum Happening
    {
        Direct = 0,
        DirectBad = 1,
        Redeliver = 2,
        Restart = 3,
        LinkDown = 4,
        LinkUp = 5,
        DiskFails = 6,
        DiskWorks = 7,
        Pass = 8,
        Fresh = 9,
        Garbage = 10,
    }

    [Fact]
    public Task AnyInterleavingConvergesToTheNewestDirective() =>
        Gen.Int[0, 10].Select(i => (Happening)i).Array[3, 25].SampleAsync(RunAsync, iter: 30, threads: 1);

    private static async Task<bool> RunAsync(Happening[] happenings)
    {
        await using var board = new TestBoard();
        var (linkIsUp, diskWorks, releases) = (true, true, 0);
        List<(DsseEnvelope Directive, Release Release, bool IsGood)> sent = [];
        HashSet<Digest> bad = [];
        board.SwitchFailure = id => id is { } release && bad.Contains(release) ? new UpdateFailure("model.load", "It does not load.") : null;
        board.FetchFailure = _ => diskWorks ? null : throw new IOException("The disk failed.");
        board.Start();
        var floor = 0L;
        foreach (var happening in happenings)
        {
            switch (happening)
            {
                case Happening.Direct or Happening.DirectBad:
                    var release = board.Publish(++releases);
                    if (happening == Happening.DirectBad) bad.Add(release.Id);
                    sent.Add((board.Fleet.Direct(release), release, happening == Happening.Direct));
                    if (linkIsUp) board.Send(sent[^1].Directive);
                    break;
                case Happening.Redeliver when linkIsUp && sent.Count > 0:
                    board.Send(sent[happenings.Length % sent.Count].Directive);
                    break;
                case Happening.Restart:
                    await board.RestartAsync();
                    if (linkIsUp && sent.Count > 0) board.Send(sent[^1].Directive, isRetained: true);
                    break;
                case Happening.LinkDown:
                    linkIsUp = false;
                    break;
                case Happening.LinkUp:
                    linkIsUp = true;
                    if (sent.Count > 0) board.Send(sent[^1].Directive, isRetained: true);
                    break;
                case Happening.DiskFails:
                    diskWorks = false;
                    break;
                case Happening.DiskWorks:
                    diskWorks = true;
                    break;
                case Happening.Fresh when linkIsUp:
                    board.SendFresh(board.Fleet.Fresh());
                    break;
                case Happening.Garbage when linkIsUp:
                    board.Engine.Receive(DocumentKind.Desired, new byte[] { 1, 2, 3 }, false);
                    break;
                default:
                    break;
            }

            for (var i = 0; i < 1 + (happenings.Length % 7); i++) await board.PassAsync();
            var now = board.Files.ReadFloors().Value?.Counter ?? 0;
            Assert.True(now >= floor, $"the counter fell from {floor} to {now}");
            floor = now;
            Holds(board);
        }

        diskWorks = true;
        // At last the newest directive is on the broker, and everything works.
        var last = board.Publish(++releases);
        var newest = board.Fleet.Direct(last);
        sent.Add((newest, last, true));
        board.Send(newest, isRetained: true);
        await board.EndsAsync(newest);
        Assert.Equal((last.Id, last.Id, last.Id), (board.Releases.Active, board.Releases.LastGood, board.Served[^1]));
        var outcomes = board.Outcomes();
        Assert.Equal(outcomes.Count, outcomes.Select(o => o.Directive).Distinct().Count());
        Assert.Equal(UpdateState.Committed, outcomes.Single(o => o.Directive == TestBoard.IdOf(newest)).Result);
        Assert.DoesNotContain(outcomes, o => o.Result == UpdateState.Committed && bad.Contains(o.Release));
        Holds(board);
        return true;
    }

    /// <summary>I1, I2 and I4 of <c>StateInvariants</c>; I5 and I6 hold by the store and are counted at the end.</summary>
    private static void Holds(TestBoard board)
    {
        // The engine goes on meanwhile: what it lets go of, it removes.
        if (board.Releases.Active is { } active && !board.Releases.Open(active).IsComplete) Assert.True(board.Releases.Active != active, $"active names {active}, which is not whole");
        if (board.Journal is { State: UpdateState.Trial, Previous: { } previous } && board.Releases.LastGood is var lastGood && board.Journal is { State: UpdateState.Trial }) Assert.Equal(previous, lastGood);
        Assert.Null(board.Files.ReadJournal() is { Value: null, Problem: { } problem } ? problem : null);
    }
}
