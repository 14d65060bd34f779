using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Trust;

public sealed class AcceptanceTests : IDisposable
{
    private static readonly DateTimeOffset Noon = SampleDocuments.Noon;
    private readonly TestKeys _keys = new();

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void AGoodDirectiveIsAccepted()
    {
        var (result, directive) = Acceptance.Judge(_keys.Sign(SampleDocuments.Directive()), Context());
        Assert.True(result.IsAccepted);
        Assert.Equal(12, directive!.Counter);
    }

    [Fact]
    public void ADirectiveForAnotherDeviceOrFleetIsRefused()
    {
        Refused(VerificationReason.WrongDevice, SampleDocuments.Directive() with { Device = "camera-8" });
        Refused(VerificationReason.WrongFleet, SampleDocuments.Directive() with { Fleet = "plant-b" });
    }

    [Fact]
    public void ACounterAtOrBelowTheFloorIsAReplay()
    {
        Refused(VerificationReason.CounterBelowFloor, SampleDocuments.Directive() with { Counter = 10 });
        Refused(VerificationReason.CounterBelowFloor, SampleDocuments.Directive() with { Counter = 9 });
    }

    [Fact]
    public void ExpiryIsJudgedAtTheLatestTrustedTime()
    {
        var directive = SampleDocuments.Directive() with { Expires = Noon.AddHours(1) };
        var late = Noon.AddHours(1);
        Refused(VerificationReason.Expired, directive, Context() with { BuildTime = late });
        Refused(VerificationReason.Expired, directive, Context() with { SynchronizedClock = late });
        Refused(VerificationReason.Expired, directive, Context() with { FreshTime = late });
        Refused(VerificationReason.Expired, directive, Context(f => f with { Time = late }));
    }

    [Fact]
    public void AClockOf1970OrOneFarAheadOnlyCountsWhenSynchronized()
    {
        Assert.Equal(Noon, (Context() with { SynchronizedClock = DateTimeOffset.UnixEpoch }).TrustedNow);
        Assert.Equal(Noon.AddYears(50), (Context() with { SynchronizedClock = Noon.AddYears(50) }).TrustedNow);
        Assert.Equal(Noon, Context().TrustedNow);
    }

    [Fact]
    public void WithoutAClockADirectiveOlderThanTheTimeFloorIsRefused()
    {
        var old = SampleDocuments.Directive() with { Issued = Noon.AddDays(-1) };
        Refused(VerificationReason.TimeBelowFloor, old);
        Assert.True(Acceptance.Judge(_keys.Sign(old), Context() with { SynchronizedClock = Noon }).Result.IsAccepted);
    }

    [Fact]
    public void ADirectiveThatTheBeaconSpeaksOfIsCurrentThoughItWasIssuedBefore()
    {
        var old = SampleDocuments.Directive() with { Issued = Noon.AddHours(-1), Counter = 12 };
        Assert.True(Acceptance.Judge(_keys.Sign(old), Context() with { FreshCounter = 12 }).Result.IsAccepted);
        Assert.Equal(VerificationReason.TimeBelowFloor, Acceptance.Judge(_keys.Sign(old), Context() with { FreshCounter = 13 }).Result.Reason);
    }

    [Fact]
    public void FreshIsTheNewestOrRefused()
    {
        var fresh = SampleDocuments.Fresh();
        Assert.True(Acceptance.JudgeFresh(_keys.Sign(fresh), Context()).Result.IsAccepted);
        Assert.Equal(VerificationReason.TimeBelowFloor, Acceptance.JudgeFresh(_keys.Sign(fresh with { Time = Noon.AddSeconds(-1) }), Context()).Result.Reason);
        Assert.Equal(VerificationReason.Expired, Acceptance.JudgeFresh(_keys.Sign(fresh), Context() with { SynchronizedClock = fresh.Expires }).Result.Reason);
        Assert.Equal(VerificationReason.WrongDevice, Acceptance.JudgeFresh(_keys.Sign(fresh with { Device = "other" }), Context()).Result.Reason);
    }

    [Theory]
    [InlineData(true, 365, false)]
    [InlineData(true, 1, true)]
    [InlineData(false, 365, true)]
    public void ASignedTimeBeyondASynchronizedClockIsRefusedAndTakenWhereThereIsNone(bool isSynchronized, int days, bool isTaken)
    {
        var context = Context() with { SynchronizedClock = isSynchronized ? Noon : null };
        var fresh = SampleDocuments.Fresh() with { Time = Noon.AddDays(days), Expires = Noon.AddDays(days + 1) };
        var directive = SampleDocuments.Directive() with { Issued = Noon.AddDays(days), Expires = Noon.AddDays(days + 7) };
        VerificationResult[] results = [Acceptance.JudgeFresh(_keys.Sign(fresh), context).Result, Acceptance.Judge(_keys.Sign(directive), context).Result];
        Assert.All(results, result => Assert.Equal(isTaken ? VerificationReason.Accepted : VerificationReason.TimeAhead, result.Reason));
    }

    // Synchronized with a server that is wrong itself, or said to be before it is.
    [Fact]
    public void AClockThatStandsBeforeTheBuildRefusesNoSignedTime() =>
        Assert.True(Acceptance.JudgeFresh(_keys.Sign(SampleDocuments.Fresh()), Context() with { SynchronizedClock = DateTimeOffset.UnixEpoch }).Result.IsAccepted);

    [Fact]
    public void OnlyTheNamedReleaseOfAHighEnoughEpochAndAgentIsAccepted()
    {
        var bytes = Manifest.Format.Write(SampleDocuments.Manifest());
        var envelope = TestKeys.Sign(MediaTypes.Manifest, bytes, _keys.ReleaseKeys);
        var agent = new Version(0, 1, 0);
        Assert.True(Acceptance.JudgeRelease(envelope, Digest.Of(bytes), agent, Context()).Result.IsAccepted);
        Assert.Equal(VerificationReason.WrongRelease, Acceptance.JudgeRelease(envelope, SampleDocuments.DigestOf("other"), agent, Context()).Result.Reason);
        Assert.Equal(VerificationReason.EpochBelowFloor, Acceptance.JudgeRelease(envelope, Digest.Of(bytes), agent, Context(f => f with { SecurityEpoch = 2 })).Result.Reason);
        Assert.Equal(VerificationReason.AgentTooOld, Acceptance.JudgeRelease(envelope, Digest.Of(bytes), new Version(0, 0, 9), Context()).Result.Reason);
        var byOne = envelope with { Signatures = [envelope.Signatures[0]] };
        Assert.Equal(VerificationReason.BelowThreshold, Acceptance.JudgeRelease(byOne, Digest.Of(bytes), agent, Context()).Result.Reason);
        var byOnline = TestKeys.Sign(MediaTypes.Manifest, bytes, _keys.Online, _keys.ReleaseKeys[0]);
        Assert.Equal(VerificationReason.BelowThreshold, Acceptance.JudgeRelease(byOnline, Digest.Of(bytes), agent, Context()).Result.Reason);
    }

    [Fact]
    public void FloorsOnlyRise()
    {
        var floors = Context().Floors;
        var raised = FloorRules.RaiseEpoch(FloorRules.Raise(FloorRules.Raise(floors, SampleDocuments.Directive()), SampleDocuments.Fresh() with { Time = Noon.AddHours(1) }), 3);
        Assert.Equal((12L, 3, Noon.AddHours(1)), (raised.Counter, raised.SecurityEpoch, raised.Time));
        var again = FloorRules.RaiseEpoch(FloorRules.Raise(FloorRules.Raise(raised, SampleDocuments.Directive() with { Counter = 1 }), SampleDocuments.Fresh()), 0);
        Assert.Equal(raised, again);
    }

    [Fact]
    public void ReplacingTheOnlineKeyRecoversFromFloorsThatAThiefRanForward()
    {
        var stolen = Context(f => f with { Counter = long.MaxValue, Time = Noon.AddYears(70), SecurityEpoch = 5 }).Floors;
        Assert.Equal(long.MaxValue, FloorRules.Under(stolen, _keys.Root(2)).Counter);
        using var old = _keys.Online;
        _keys.Online = SigningKey.Generate();
        var next = _keys.Root(2, issued: Noon.AddDays(1));
        var recovered = FloorRules.Under(stolen, next);
        Assert.Equal((0L, 5, Noon.AddDays(1), 2), (recovered.Counter, recovered.SecurityEpoch, recovered.Time, recovered.RootVersion));
        Assert.Equal(recovered, FloorRules.Under(recovered, next));
        var context = Context() with { Root = next, Floors = recovered };
        Assert.True(Acceptance.Judge(_keys.Sign(SampleDocuments.Directive() with { Issued = Noon.AddDays(1) }), context).Result.IsAccepted);
    }

    private TrustContext Context(Func<Floors, Floors>? change = null)
    {
        var root = _keys.Root();
        var floors = FloorRules.Begin(root) with { Counter = 10 };
        return new TrustContext { Fleet = "plant-a", Device = "camera-7", Root = root, Floors = change is null ? floors : change(floors), BuildTime = Noon.AddDays(-30) };
    }

    private void Refused(VerificationReason reason, Directive directive, TrustContext? context = null)
    {
        var (result, accepted) = Acceptance.Judge(_keys.Sign(directive), context ?? Context());
        Assert.True(result.Reason == reason, result.ToString());
        Assert.Null(accepted);
    }
}
