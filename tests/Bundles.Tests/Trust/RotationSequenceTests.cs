using CsCheck;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Trust;

/// <summary>Row 4 of the promises: whatever an owner, a loser of keys and a thief do one after the other, a device follows as far as a model of it says.</summary>
public sealed class RotationSequenceTests
{
    private enum Deed
    {
        LoseAKey,
        LoseTwoKeys,
        ReplaceTheOnlineKey,
        SignWithOldKeysOnly,
        SignWithNewKeysOnly,
        SkipAVersion,
        OfferAnOldRoot,
        ChangeTheThreshold,
        RunForward,
        Direct,
        DirectWithAReplacedKey,
        Forge,
    }

    [Fact]
    public void ADeviceFollowsEverySequenceAsTheModelSays() =>
        Gen.Enum<Deed>().Array[1, 14].Sample(deeds =>
        {
            using var owner = new Owner();
            using var device = new StoredTrust(owner.SignedRoot());
            for (var step = 0; step < deeds.Length; step++)
            {
                var (role, envelope, isAccepted) = owner.Do(deeds[step]);
                var before = device.Hash();
                var result = device.Offer(role, envelope);
                var story = $"step {step} of {string.Join(", ", deeds)}: {result}";
                Assert.True(result.IsAccepted == (isAccepted || deeds[step] == Deed.OfferAnOldRoot), story);
                Assert.True(isAccepted || before == device.Hash(), $"{story}; trust/ has changed");
                Assert.True(owner.Version == device.Root.Version, story);
                Assert.True(owner.Counter == device.Floors.Counter, $"{story}; counter {device.Floors.Counter}, the model says {owner.Counter}");
            }
        }, iter: 40, threads: 1);

    [Fact]
    public void AThiefWhoRanTheCountersForwardIsUndoneByARotation()
    {
        using var owner = new Owner();
        using var device = new StoredTrust(owner.SignedRoot());
        foreach (var (deed, isAccepted) in new[] { (Deed.Direct, true), (Deed.RunForward, true), (Deed.Direct, false), (Deed.ReplaceTheOnlineKey, true), (Deed.DirectWithAReplacedKey, false), (Deed.Direct, true) })
        {
            var (role, envelope, _) = owner.Do(deed);
            Assert.Equal((deed, isAccepted), (deed, device.Offer(role, envelope).IsAccepted));
        }
    }

    /// <summary>The owner's keys, and what a device that got everything must believe.</summary>
    private sealed class Owner : IDisposable
    {
        private readonly List<SigningKey> _made = [];
        private readonly TestKeys _keys = new();
        private SigningKey[] _rootKeys;
        private SigningKey? _replaced;
        private int _threshold = 2;

        public Owner() => _rootKeys = _keys.RootKeys;

        public int Version { get; private set; } = 1;
        public long Counter { get; private set; }

        public DsseEnvelope SignedRoot() => TestKeys.Sign(Root(Version, _rootKeys, _threshold), _rootKeys);

        public (SigningRole Role, DsseEnvelope Envelope, bool IsAccepted) Do(Deed deed)
        {
            switch (deed)
            {
                case Deed.LoseAKey:
                    // Enough only while the threshold is below the number of keys.
                    return Rotate([Made(), .. _rootKeys[1..]], _rootKeys[1..], _threshold, _threshold <= 2);
                case Deed.LoseTwoKeys:
                    return Rotate([Made(), Made(), _rootKeys[2]], _rootKeys[2..], _threshold, false);
                case Deed.ReplaceTheOnlineKey:
                    var old = _keys.Online;
                    _keys.Online = Made();
                    _made.Add(old);
                    _replaced = old;
                    Counter = 0;
                    return Rotate(_rootKeys, _rootKeys, _threshold, true);
                case Deed.SignWithOldKeysOnly:
                    return Refused(Root(Version + 1, [Made(), Made(), Made()], _threshold), _rootKeys);
                case Deed.SignWithNewKeysOnly:
                    SigningKey[] strangers = [Made(), Made(), Made()];
                    return Refused(Root(Version + 1, strangers, _threshold), strangers);
                case Deed.SkipAVersion:
                    return Refused(Root(Version + 2, _rootKeys, _threshold), _rootKeys);
                case Deed.OfferAnOldRoot:
                    return Refused(Root(Math.Max(1, Version - 1), _rootKeys, _threshold), _rootKeys);
                case Deed.ChangeTheThreshold:
                    return Rotate(_rootKeys, _rootKeys, 5 - _threshold, true);
                case Deed.RunForward:
                    // The thief's own document again is a replay.
                    var isFirst = Counter < long.MaxValue;
                    Counter = long.MaxValue;
                    return (SigningRole.Directive, Directive(long.MaxValue, SampleDocuments.Noon.AddYears(70), _keys.Online), isFirst);
                case Deed.Direct:
                    var isStuck = Counter == long.MaxValue;
                    if (!isStuck) Counter++;
                    return (SigningRole.Directive, Directive(isStuck ? 1 : Counter, Issued, _keys.Online), !isStuck);
                case Deed.DirectWithAReplacedKey:
                    return (SigningRole.Directive, Directive(long.MaxValue, Issued, _replaced ?? _keys.Stranger), false);
                default:
                    return (SigningRole.Directive, Directive(long.MaxValue, Issued, _keys.ReleaseKeys), false);
            }
        }

        public void Dispose()
        {
            _made.ForEach(key => key.Dispose());
            _keys.Dispose();
        }

        private DateTimeOffset Issued => SampleDocuments.Noon.AddDays(Version);

        private (SigningRole, DsseEnvelope, bool) Rotate(SigningKey[] next, SigningKey[] present, int threshold, bool isAccepted)
        {
            var envelope = TestKeys.Sign(Root(Version + 1, next, threshold), [.. next.Union(present)]);
            if (isAccepted) (Version, _rootKeys, _threshold) = (Version + 1, next, threshold);
            return (SigningRole.Root, envelope, isAccepted);
        }

        private static (SigningRole, DsseEnvelope, bool) Refused(Root root, SigningKey[] signers) => (SigningRole.Root, TestKeys.Sign(root, signers), false);

        private Root Root(int version, SigningKey[] rootKeys, int threshold)
        {
            var root = _keys.Root(version, SampleDocuments.Noon.AddDays(version), rootKeys);
            return root with { Roles = root.Roles with { Root = root.Roles.Root with { Threshold = threshold } } };
        }

        private static DsseEnvelope Directive(long counter, DateTimeOffset issued, params SigningKey[] keys) => TestKeys.Sign(
            MediaTypes.Directive, Contracts.Signing.Directive.Format.Write(SampleDocuments.Directive() with { Counter = counter, Issued = issued, Expires = issued.AddDays(1) }), keys);

        private SigningKey Made()
        {
            var key = SigningKey.Generate();
            _made.Add(key);
            return key;
        }
    }
}
