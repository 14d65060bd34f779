using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Racing;

public sealed class QuarantinedTests : IDisposable
{
    private static readonly Digest Release = Digest.Of("release"u8), Next = Digest.Of("the next"u8);

    private readonly TemporaryFolder _folder = new();
    private readonly StateFiles _files;

    public QuarantinedTests() => _files = new StateFiles(new StateLayout(_folder.Sub("state")));

    [Fact]
    public void WhatFailedIsRememberedAcrossARestartByItsDigest()
    {
        var variant = SampleDocuments.Variant();
        new Quarantined(_files, NullLogger<Quarantined>.Instance).Add(Release, variant, "golden.failed", "It failed its golden check.", SampleDocuments.Noon);
        var restarted = new Quarantined(_files, NullLogger<Quarantined>.Instance);
        Assert.Equal("It failed its golden check", restarted.WhyNot(Release, variant));
        Assert.NotNull(restarted.WhyNot(Release, variant with { Id = "renamed" }));
        Assert.Null(restarted.WhyNot(Release, SampleDocuments.Variant("other")));
    }

    [Theory]
    [InlineData(ChildExitCodes.Crashed, true)]
    [InlineData(ChildExitCodes.Protocol, true)]
    [InlineData("golden.failed", false)]
    [InlineData("model.input", false)]
    [InlineData(ChildExitCodes.OutOfMemory, false)]
    [InlineData(ChildExitCodes.TimedOut, false)]
    public void WhatTheManifestMayHaveCausedIsTriedAgainWhenAnotherReleaseHasTheSameFile(string code, bool isOfTheFile)
    {
        var variant = SampleDocuments.Variant();
        new Quarantined(_files, NullLogger<Quarantined>.Instance).Add(Release, variant, code, "It failed.", SampleDocuments.Noon);
        var restarted = new Quarantined(_files, NullLogger<Quarantined>.Instance);
        Assert.Equal("It failed", restarted.WhyNot(Release, variant));
        Assert.Equal(isOfTheFile, restarted.WhyNot(Next, variant) is not null);
    }

    [Fact]
    public void AnotherOnnxRuntimeMayTryAgain()
    {
        var variant = SampleDocuments.Variant();
        new Quarantined(_files, NullLogger<Quarantined>.Instance).Add(Release, variant, ChildExitCodes.Crashed, "It crashed.", SampleDocuments.Noon);
        var stored = _files.ReadQuarantine().Value!;
        _files.WriteQuarantine(stored with { Entries = [stored.Entries[0] with { OnnxRuntimeVersion = "1.0.0" }] });
        Assert.Null(new Quarantined(_files, NullLogger<Quarantined>.Instance).WhyNot(Release, variant));
    }

    [Fact]
    public void TheSameFailureIsKeptOnceAndTheFileStaysBounded()
    {
        var quarantined = new Quarantined(_files, NullLogger<Quarantined>.Instance);
        for (var i = 0; i < 300; i++)
        {
            quarantined.Add(Release, SampleDocuments.Variant($"v{i}"), ChildExitCodes.Crashed, "It crashed.", SampleDocuments.Noon);
            quarantined.Add(Release, SampleDocuments.Variant($"v{i}"), ChildExitCodes.Crashed, "It crashed.", SampleDocuments.Noon);
        }

        var entries = _files.ReadQuarantine().Value!.Entries;
        Assert.Equal(256, entries.Count);
        Assert.Equal(SampleDocuments.Variant("v299").Blob.Digest, entries[^1].Digest);
    }

    public void Dispose() => _folder.Dispose();
}
