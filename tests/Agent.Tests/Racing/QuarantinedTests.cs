using Dunlin.Agent.Racing;
using Dunlin.Bundles.State;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit;
using Dunlin.TestKit.Samples;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Racing;

public sealed class QuarantinedTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StateFiles _files;

    public QuarantinedTests() => _files = new StateFiles(new StateLayout(_folder.Sub("state")));

    [Fact]
    public void WhatFailedIsRememberedAcrossARestartByItsDigest()
    {
        var variant = SampleDocuments.Variant();
        new Quarantined(_files, NullLogger<Quarantined>.Instance).Add(variant, "golden.failed", "It failed its golden check.", SampleDocuments.Noon);
        var restarted = new Quarantined(_files, NullLogger<Quarantined>.Instance);
        Assert.Equal("It failed its golden check", restarted.WhyNot(variant));
        Assert.NotNull(restarted.WhyNot(variant with { Id = "renamed" }));
        Assert.Null(restarted.WhyNot(SampleDocuments.Variant("other")));
    }

    [Fact]
    public void AnotherOnnxRuntimeMayTryAgain()
    {
        var variant = SampleDocuments.Variant();
        new Quarantined(_files, NullLogger<Quarantined>.Instance).Add(variant, "model.crashed", "It crashed.", SampleDocuments.Noon);
        var stored = _files.ReadQuarantine().Value!;
        _files.WriteQuarantine(stored with { Entries = [stored.Entries[0] with { OnnxRuntimeVersion = "1.0.0" }] });
        Assert.Null(new Quarantined(_files, NullLogger<Quarantined>.Instance).WhyNot(variant));
    }

    [Fact]
    public void TheSameFailureIsKeptOnceAndTheFileStaysBounded()
    {
        var quarantined = new Quarantined(_files, NullLogger<Quarantined>.Instance);
        for (var i = 0; i < 300; i++)
        {
            quarantined.Add(SampleDocuments.Variant($"v{i}"), "model.crashed", "It crashed.", SampleDocuments.Noon);
            quarantined.Add(SampleDocuments.Variant($"v{i}"), "model.crashed", "It crashed.", SampleDocuments.Noon);
        }

        var entries = _files.ReadQuarantine().Value!.Entries;
        Assert.Equal(256, entries.Count);
        Assert.Equal(SampleDocuments.Variant("v299").Blob.Digest, entries[^1].Digest);
    }

    public void Dispose() => _folder.Dispose();
}
