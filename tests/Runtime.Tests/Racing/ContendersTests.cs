using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Racing;

namespace Dunlin.Runtime.Tests.Racing;

public sealed class ContendersTests
{
    private static readonly BoardFacts Board = new()
    {
        CpuModel = "test",
        CpuFlags = new HashSet<string> { "avx2" },
        UsableCores = 6,
        MemoryLimitByteCount = 1 << 30,
        MemoryAvailableByteCount = 512 << 20,
        Kernel = "6.1",
    };

    [Fact]
    public void EachVariantRacesOnASensibleSetOfThreadCounts()
    {
        var contenders = Contenders.Enumerate(Garments.Manifest(Garments.Variant("fp32")), Board, new ContenderOptions());
        Assert.Equal([1, 2, 4, 6], contenders.Select(contender => contender.Id.Threads));
        Assert.All(contenders, contender => Assert.Null(contender.Blocked));
    }

    [Fact]
    public void TheIncumbentComesFirstThenTheMoreAccurate()
    {
        var manifest = Garments.Manifest(Garments.Variant("small", 0.85), Garments.Variant("large", 0.95));
        var contenders = Contenders.Enumerate(manifest, Board with { UsableCores = 2 }, new ContenderOptions { Incumbent = Garments.Id("small", 2) });
        Assert.Equal([Garments.Id("small", 2), Garments.Id("large", 1), Garments.Id("large", 2), Garments.Id("small", 1)], contenders.Select(contender => contender.Id));
    }

    [Fact]
    public void WhatCannotRunLeavesWithItsReason()
    {
        Assert.Equal("provider.missing", Blocked(variant => variant with { Requires = variant.Requires with { ExecutionProviders = ["QNNExecutionProvider"] } }));
        Assert.Equal("cpu.feature-missing", Blocked(variant => variant with { Requires = variant.Requires with { CpuFeatures = ["avx2", "avx512_vnni"] } }));
        Assert.Equal("memory.insufficient", Blocked(variant => variant with { Requires = variant.Requires with { MemoryByteCount = 600L << 20 } }));
        Assert.Equal("accuracy.below-floor", Blocked(variant => variant with { Accuracy = variant.Accuracy with { Top1 = 0.79 } }));
        Assert.Equal("variant.not-chosen", Blocked(variant => variant, new ContenderOptions { Variant = "w" }));
        Assert.Equal("quarantined", Blocked(variant => variant, new ContenderOptions { Quarantined = _ => "it crashed" }));
    }

    private static string Blocked(Func<Variant, Variant> change, ContenderOptions? options = null)
    {
        var contender = Assert.Single(Contenders.Enumerate(Garments.Manifest(change(Garments.Variant("v"))), Board, options ?? new ContenderOptions()));
        Assert.Contains("'v'", contender.Blocked!.Reason, StringComparison.Ordinal);
        return contender.Blocked.ReasonCode;
    }
}
