using CsCheck;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Trust;

public sealed class RootRotationTests : IDisposable
{
    private static readonly DateTimeOffset BuildTime = SampleDocuments.Noon;
    private readonly TestKeys _keys = new();

    public void Dispose() => _keys.Dispose();

    [Fact]
    public void TheFirstRootMustBeSignedByItsOwnThreshold()
    {
        var root = _keys.Root();
        Assert.True(RootRotation.Install(TestKeys.Sign(root, _keys.RootKeys[..2])).Result.IsAccepted);
        Assert.Equal(VerificationReason.BelowThreshold, RootRotation.Install(TestKeys.Sign(root, _keys.RootKeys[0])).Result.Reason);
    }

    [Fact]
    public void AChainIsFollowedStepByStepAndOldRootsArePassedOver()
    {
        DsseEnvelope[] chain = [.. Enumerable.Range(1, 4).Select(v => TestKeys.Sign(_keys.Root(v), _keys.RootKeys[..2]))];
        var (result, root, envelope) = RootRotation.Follow(_keys.Root(2), chain, BuildTime);
        Assert.True(result.IsAccepted);
        Assert.Equal(4, root.Version);
        Assert.Same(chain[3], envelope);
    }

    [Fact]
    public void ASkippedVersionStopsAtTheLastGoodRoot()
    {
        DsseEnvelope[] chain = [TestKeys.Sign(_keys.Root(2), _keys.RootKeys), TestKeys.Sign(_keys.Root(4), _keys.RootKeys)];
        var (result, root, _) = RootRotation.Follow(_keys.Root(), chain, BuildTime);
        Assert.Equal(VerificationReason.VersionSkipped, result.Reason);
        Assert.Equal(2, root.Version);
    }

    [Fact]
    public void BothThresholdsMustSign()
    {
        using var a = SigningKey.Generate();
        using var b = SigningKey.Generate();
        var next = _keys.Root(2, rootKeys: [a, b]);
        Assert.Equal(VerificationReason.BelowThreshold, Follow(TestKeys.Sign(next, a, b)).Result.Reason);
        Assert.Equal(VerificationReason.BelowThreshold, Follow(TestKeys.Sign(next, _keys.RootKeys[..2])).Result.Reason);
        Assert.Equal(VerificationReason.BelowThreshold, Follow(TestKeys.Sign(next, a, b, _keys.RootKeys[0])).Result.Reason);
        Assert.Equal(2, Follow(TestKeys.Sign(next, a, b, _keys.RootKeys[0], _keys.RootKeys[2])).Root.Version);
    }

    [Fact]
    public void RandomRotationsAreFollowedExactlyAsFarAsTheyAreSigned() =>
        Gen.Select(Gen.Int[1, 5], Gen.Int[0, 6], Gen.Int).Sample((length, badAt, seed) =>
        {
            // Each step replaces one of three root keys, so that one lost key never stops the owner.
            var random = new Random(seed);
            SigningKey[] current = [.. _keys.RootKeys];
            List<SigningKey> made = [];
            List<DsseEnvelope> chain = [];
            for (var step = 1; step <= length; step++)
            {
                var next = current.ToArray();
                next[random.Next(3)] = SigningKey.Generate();
                made.AddRange(next.Except(current));
                var kept = next.Intersect(current).ToArray();
                chain.Add(TestKeys.Sign(_keys.Root(step + 1, rootKeys: next), step == badAt ? kept[..1] : kept));
                current = next;
            }
            var (result, root, _) = RootRotation.Follow(_keys.Root(), chain, BuildTime);
            var isBroken = badAt >= 1 && badAt <= length;
            Assert.Equal(isBroken ? VerificationReason.BelowThreshold : VerificationReason.Accepted, result.Reason);
            Assert.Equal(isBroken ? badAt : length + 1, root.Version);
            made.ForEach(k => k.Dispose());
        }, iter: 20, threads: 1);

    [Fact]
    public void ARootOfAnotherFleetOrAnExpiredOneIsRefused()
    {
        Assert.Equal(VerificationReason.WrongFleet, Follow(TestKeys.Sign(_keys.Root(2) with { Fleet = "plant-b" }, _keys.RootKeys)).Result.Reason);
        var expired = _keys.Root(2, issued: BuildTime.AddDays(-2)) with { Expires = BuildTime };
        Assert.Equal(VerificationReason.Expired, Follow(TestKeys.Sign(expired, _keys.RootKeys)).Result.Reason);
    }

    [Fact]
    public void AMalformedRootIsRefused() =>
        Assert.Equal(VerificationReason.Malformed, Follow(TestKeys.Sign(Contracts.Artifacts.MediaTypes.Root, "{}"u8.ToArray(), _keys.RootKeys)).Result.Reason);

    private (VerificationResult Result, Root Root, DsseEnvelope? Envelope) Follow(DsseEnvelope next) => RootRotation.Follow(_keys.Root(), [next], BuildTime);
}
