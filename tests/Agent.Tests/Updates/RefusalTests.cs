using Dunlin.Agent.Updates;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Machine;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>What is not the owner's, not for this device, not now, or not new enough changes nothing (docs/promises.md, rows 5, 10, 24).</summary>
public sealed class RefusalTests
{
    public static TheoryData<string, string> SpoiltDirectives => new()
    {
        { "device", "directive.wrong-device" },
        { "fleet", "directive.wrong-fleet" },
        { "expired", "directive.expired" },
        { "outdated", "directive.outdated" },
        { "replayed", "directive.replayed" },
    };

    [Theory]
    [MemberData(nameof(SpoiltDirectives))]
    public async Task AnAuthenticDirectiveThatMayNotBeActedOnIsAnsweredWithItsCode(string spoilt, string code)
    {
        await using var board = new TestBoard();
        board.Start();
        var release = board.Publish(1);
        await board.RunAsync(board.Fleet.Direct(release));
        var directive = board.Fleet.Direct(board.Publish(2), d => spoilt switch
        {
            "device" => d with { Device = "camera-8" },
            "fleet" => d with { Fleet = "plant-b" },
            "expired" => d with { Issued = d.Issued.AddDays(-9), Expires = d.Issued.AddDays(-2) },
            "outdated" => d with { Issued = d.Issued.AddHours(-1) },
            _ => d with { Counter = 1 },
        });
        board.FetchFailure = _ => throw new InvalidOperationException("Something was fetched.");
        var outcome = await board.RunAsync(directive);
        Assert.Equal((UpdateState.Rejected, code), (outcome.Result, outcome.Reason));
        Assert.Equal(release.Id, board.Releases.Active);
        Assert.Equal(1, board.Files.ReadFloors().Value!.Counter);
    }

    [Fact]
    public async Task WhatNoTrustedKeyHasSignedGetsNoOutcomeAndChangesNothing()
    {
        await using var board = new TestBoard();
        board.Start();
        var release = board.Publish(1);
        var genuine = board.Fleet.Direct(release);
        board.Send(board.Fleet.Stranger.Sign(MediaTypes.Directive, genuine.Payload));
        board.Send(genuine with { Signatures = [] });
        board.Send(genuine with { PayloadType = MediaTypes.Fresh });
        board.Engine.Receive(DocumentKind.Desired, "{\"payload\":"u8.ToArray(), false);
        board.Engine.Receive(DocumentKind.Desired, ReadOnlyMemory<byte>.Empty, false);
        board.Engine.Receive(DocumentKind.Fresh, "[]"u8.ToArray(), false);
        board.Engine.Receive(DocumentKind.Root, "null"u8.ToArray(), false);
        // Whatever they were, the genuine one still counts.
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(genuine)).Result);
        Assert.Single(board.Outcomes());
    }

    [Theory]
    [InlineData("epoch", "release.epoch-too-low")]
    [InlineData("agent", "release.agent-too-old")]
    [InlineData("hardware", "release.incompatible")]
    [InlineData("other", "release.mismatch")]
    [InlineData("unsigned", "release.unsigned")]
    public async Task AReleaseThatMayNotRunHereIsRefusedBeforeItsFirstArtifact(string spoilt, string code)
    {
        await using var board = new TestBoard();
        board.Start();
        var good = board.Publish(1, securityEpoch: 3);
        await board.RunAsync(board.Fleet.Direct(good));
        var release = board.Publish(2, spoilt == "epoch" ? 2 : 3, manifest => spoilt switch
        {
            "agent" => manifest with { MinAgent = "99.0.0" },
            "hardware" => manifest with { Variants = [.. manifest.Variants.Select(v => v with { Requires = v.Requires with { CpuFeatures = ["flux"] } })] },
            _ => manifest,
        });
        if (spoilt == "unsigned")
        {
            var bundle = release.Bundle.WithSignature(board.Fleet.Stranger.Sign(MediaTypes.Manifest, release.Bundle.ManifestBytes));
            release = board.Keep(new Release(bundle, Bundles.Layouts.BlobFile.Describe(bundle.SignatureBytes!.Value)));
        }

        var signature = release.Signature.Digest;
        board.FetchFailure = blobs => blobs.All(blob => blob.Digest == signature) ? null : throw new InvalidOperationException("An artifact was fetched.");
        var outcome = await board.RunAsync(board.Fleet.Direct(release, d => spoilt == "other" ? d with { Release = Digest.Of([2]) } : d));
        Assert.Equal((UpdateState.Rejected, code), (outcome.Result, outcome.Reason));
        Assert.Equal((good.Id, good.Id), (board.Releases.Active, board.Releases.LastGood));
        Assert.False(Directory.Exists(board.Layout.Release(release.Id)));
    }

    [Fact]
    public async Task TheSamePayloadAgainGetsTheOldOutcomeAgainAndIsNotDoneAgain()
    {
        await using var board = new TestBoard();
        board.Start();
        var directive = board.Fleet.Direct(board.Publish(1));
        await board.RunAsync(directive);
        var served = board.Served.Count;
        // Another signature of the same key over the same payload: the payload is the identity.
        var again = board.Fleet.Online.Sign(directive.PayloadType, directive.Payload);
        for (var i = 0; i < 5; i++) board.Send(again, isRetained: i % 2 == 0);
        await board.StopAsync();
        Assert.Single(board.Outcomes());
        // The broker has taken the outcome, and the fleet has lost it.
        Directory.Delete(board.Layout.Outcomes, recursive: true);
        board.Start();
        for (var i = 0; i < 5; i++) board.Send(again, isRetained: true);
        for (var i = 0; i < 10; i++) await board.PassAsync();
        Assert.Empty(board.Outcomes());
        board.Send(again);
        await board.UntilAsync(() => board.Outcomes().Count == 1, "the old outcome comes again for the message, not for the retained copy");
        Assert.Equal(UpdateState.Committed, board.Outcomes()[0].Result);
        Assert.Equal(served + 1, board.Served.Count);
    }

    [Fact]
    public async Task OfTwoThatComeInTheWrongOrderTheHigherOneCounts()
    {
        await using var board = new TestBoard();
        board.Start();
        var (first, second) = (board.Publish(1), board.Publish(2));
        var (older, newer) = (board.Fleet.Direct(first), board.Fleet.Direct(second));
        board.Send(newer);
        board.Send(older);
        await board.EndsAsync(newer);
        await board.EndsAsync(older);
        Assert.Equal(second.Id, board.Releases.LastGood);
        Assert.DoesNotContain(first.Id, board.Served.OfType<Digest>());
        Assert.Equal(UpdateState.Rejected, board.Outcomes().Single(o => o.Directive == TestBoard.IdOf(older)).Result);
    }

    [Fact]
    public async Task AQuarantinedReleaseIsNotTriedAgain()
    {
        await using var board = new TestBoard { Window = _ => SampleWindows.Good() with { NonFiniteCount = 1 } };
        board.Start();
        var release = board.Publish(1);
        Assert.Equal("trial.not-finite", (await board.RunAsync(board.Fleet.Direct(release))).Reason);
        var again = await board.RunAsync(board.Fleet.Direct(release));
        Assert.Equal((UpdateState.Rejected, "release.quarantined"), (again.Result, again.Reason));
    }

    [Fact]
    public async Task MoreReleasesThanTheIntervalAllowsAreRefused()
    {
        await using var board = new TestBoard();
        board.Options.MaximumInstalls = 1;
        board.Start();
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(board.Publish(1)))).Result);
        Assert.Equal("install.limited", (await board.RunAsync(board.Fleet.Direct(board.Publish(2)))).Reason);
        board.Time.Advance(TimeSpan.FromHours(1.1));
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(board.Publish(3)))).Result);
    }

    [Fact]
    public async Task AFreshDocumentThatHasExpiredHoldsInstallsBackAcrossRestartsUntilTheNext()
    {
        await using var board = new TestBoard();
        var running = await RunUntilStaleAsync(board);
        // The system clock falls back to 1970 at a restart; signed time does not.
        var next = board.Publish(2);
        var directive = board.Fleet.Direct(next);
        board.Send(directive);
        for (var i = 0; i < 20; i++) await board.PassAsync();
        Assert.Equal(running.Id, board.Releases.Active);
        Assert.Single(board.Outcomes());
        board.Fleet.Now += TimeSpan.FromHours(2);
        board.SendFresh(board.Fleet.Fresh());
        await board.EndsAsync(directive);
        Assert.Equal(next.Id, board.Releases.LastGood);
        await board.UntilAsync(() => board.Status.Problems.Count == 0, "nothing is stale");
    }

    [Fact]
    public async Task OfThoseThatWaitForAFreshDocumentEachGetsItsOutcome()
    {
        await using var board = new TestBoard();
        var running = await RunUntilStaleAsync(board);
        var (older, waiting, newer) = (board.Fleet.Direct(board.Publish(2)), board.Fleet.Direct(board.Publish(3)), board.Fleet.Direct(board.Publish(4), d => d with { Expires = d.Issued.AddHours(3) }));
        board.Send(waiting);
        board.Send(older);
        await board.EndsAsync(older);
        board.Send(newer);
        await board.EndsAsync(waiting);
        board.Time.Advance(TimeSpan.FromHours(2));
        board.Fleet.Now += TimeSpan.FromHours(4);
        board.SendFresh(board.Fleet.Fresh());
        await board.EndsAsync(newer);
        Assert.Equal(
            ["directive.replayed", "directive.superseded", "directive.expired"],
            new[] { older, waiting, newer }.Select(directive => board.Outcomes().Single(o => o.Directive == TestBoard.IdOf(directive)).Reason));
        Assert.Equal(running.Id, board.Releases.Active);
    }

    [Fact]
    public async Task OneThatWaitedAndIsRefusedWhileTheDiskIsFullGetsItsOutcomeWhenThereIsRoom()
    {
        using var disk = TinyDisk.Mount(megabytes: 32);
        await using var board = new TestBoard(disk.Path);
        var running = await RunUntilStaleAsync(board);
        var waiting = board.Fleet.Direct(board.Publish(2), d => d with { Expires = d.Issued.AddHours(3) });
        board.Send(waiting);
        await board.PassAsync();
        disk.Fill();
        board.Time.Advance(TimeSpan.FromHours(2));
        board.Fleet.Now += TimeSpan.FromHours(4);
        board.SendFresh(board.Fleet.Fresh());
        await board.UntilAsync(() => board.Status.Problems.Any(p => p.Contains("disk.full", StringComparison.Ordinal)), "the device says that its disk is full");
        disk.Free();
        await board.EndsAsync(waiting);
        Assert.Equal("directive.expired", board.Outcomes().Single(o => o.Directive == TestBoard.IdOf(waiting)).Reason);
    }

    [Fact]
    public async Task DirectivesThatABrokerKeepsBackAreNoticedByTheCounterOfTheBeacon()
    {
        await using var board = new TestBoard();
        board.Start();
        await board.RunAsync(board.Fleet.Direct(board.Publish(1)));
        var keptBack = board.Fleet.Direct(board.Publish(2));
        board.SendFresh(board.Fleet.Fresh());
        for (var i = 0; i < 20; i++) await board.PassAsync();
        Assert.Empty(board.Status.Problems);
        board.Time.Advance(TimeSpan.FromMinutes(5));
        await board.UntilAsync(() => board.Status.Problems.Any(p => p.Contains("has signed directive 2 for this device, but the newest that came is 1: either the broker keeps it back", StringComparison.Ordinal) && p.Contains("taken back or has expired: push again", StringComparison.Ordinal)), "the device says that directives are kept back, or were taken back");
        await board.RunAsync(keptBack);
        await board.UntilAsync(() => board.Status.Problems.Count == 0, "nothing is kept back");

        // One that came and was refused is not kept back.
        await board.RunAsync(board.Fleet.Direct(board.Publish(3), d => d with { Issued = d.Issued.AddDays(-9), Expires = d.Issued.AddDays(-2) }));
        board.SendFresh(board.Fleet.Fresh());
        board.Time.Advance(TimeSpan.FromMinutes(6));
        for (var i = 0; i < 20; i++) await board.PassAsync();
        Assert.Empty(board.Status.Problems);
    }

    [Fact]
    public async Task ARotationThatReplacesTheOnlineKeyEndsWhatTheOldOneAskedForAndForgetsItsCounter()
    {
        await using var board = new TestBoard();
        using var replaced = board.Fleet.Online;
        var reached = new TaskCompletionSource();
        board.Gate = async (where, cancellationToken) =>
        {
            if (where != "race") return;
            reached.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        };
        board.Start();
        var stolen = board.Fleet.Direct(board.Publish(1), d => d with { Counter = long.MaxValue, Issued = d.Issued.AddYears(3), Expires = d.Issued.AddYears(4) });
        board.Send(stolen);
        await board.UntilAsync(() => reached.Task.IsCompleted, "it races");
        board.Fleet.Online = SigningKey.Generate();
        board.SendRoots(board.Fleet.SignedRoot(2));
        await board.EndsAsync(stolen);
        Assert.Equal("directive.revoked", board.Outcomes().Single().Reason);
        board.Gate = (_, _) => Task.CompletedTask;
        var release = board.Publish(2);
        Assert.Equal(UpdateState.Committed, (await board.RunAsync(board.Fleet.Direct(release, d => d with { Counter = 1 }))).Result);
        Assert.Equal((2, 1L), (board.Files.ReadFloors().Value!.RootVersion, board.Files.ReadFloors().Value!.Counter));
    }

    /// <summary>Starts the board and lets it serve a release until its fresh document has expired.</summary>
    private static async Task<Release> RunUntilStaleAsync(TestBoard board)
    {
        board.Start();
        var running = board.Publish(1);
        board.SendFresh(board.Fleet.Fresh(TimeSpan.FromHours(1)));
        await board.RunAsync(board.Fleet.Direct(running));
        board.Time.Advance(TimeSpan.FromHours(2));
        await board.UntilAsync(() => board.Status.Problems.Any(p => p.StartsWith("STALE", StringComparison.Ordinal)), "the device says STALE");
        return running;
    }
}
