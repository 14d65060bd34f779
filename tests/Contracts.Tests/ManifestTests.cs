using System.Text;
using System.Text.Json.Nodes;
using CsCheck;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Manifests;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Schemas;

namespace Dunlin.Contracts.Tests;

public sealed class ManifestTests
{
    [Fact]
    public void WhatIsWrittenIsReadAndWrittenTheSame()
    {
        var bytes = Manifest.Format.Write(SampleDocuments.Manifest());
        Assert.Equal(bytes, Manifest.Format.Write(Manifest.Format.Read(bytes).GetOrThrow()));
    }

    [Fact]
    public void RandomManifestsRoundTripAndFitTheSchema() =>
        Gen.Select(Gen.Int[1, 5], Gen.Double[0, 1], Gen.Long[1, 3_000_000], Gen.Int[200, 5000], Gen.Int[1, 4096], Gen.Enum<FitMode>())
            .Sample((variants, top1, size, samples, side, fit) =>
            {
                var accuracy = new Accuracy { Top1 = top1, Top5 = 1, SampleCount = samples, Top1Low = top1 / 2, Top1High = (1 + top1) / 2 };
                var manifest = SampleDocuments.Manifest() with
                {
                    AccuracyFloor = top1,
                    Golden = new GoldenSpec { Blob = SampleDocuments.Blob("golden", size), SampleCount = samples },
                    Input = SampleDocuments.Manifest().Input with { Width = side, Fit = fit, CropFraction = fit == FitMode.CenterCrop ? (1 + top1) / 2 : 1 },
                    Variants = [.. Enumerable.Range(0, variants).Select(i => SampleDocuments.Variant($"v{i}") with { Accuracy = accuracy, Blob = SampleDocuments.Blob($"v{i}", size) })],
                };
                var bytes = Manifest.Format.Write(manifest);
                SchemaAssert.Valid("manifest", bytes);
                Assert.Equal(bytes, Manifest.Format.Write(Manifest.Format.Read(bytes).GetOrThrow()));
            }, iter: 200);

    [Fact]
    public void ChunksCoverABlobExactly() =>
        Gen.Long[1, 10_000_000].Sample(size =>
        {
            var blob = SampleDocuments.Blob("x", size);
            Assert.Equal(size, Enumerable.Range(0, blob.Chunks.Count).Sum(i => (long)blob.ChunkLength(i)));
            Assert.All(Enumerable.Range(0, blob.Chunks.Count), i => Assert.InRange(blob.ChunkLength(i), 1, Blob.StandardChunkSize));
        });

    [Theory]
    [InlineData("$.name", "\"Garments\"")]
    [InlineData("$.version", "0")]
    [InlineData("$.label", "\"\"")]
    [InlineData("$.securityEpoch", "-1")]
    [InlineData("$.minAgent", "\"1.0\"")]
    [InlineData("$.task", "\"detection\"")]
    [InlineData("$.schema", "\"dunlin.manifest.v2\"")]
    [InlineData("$.created", "\"2026-11-24T12:00:00\"")]
    [InlineData("$.input.width", "0")]
    [InlineData("$.input.height", "4097")]
    [InlineData("$.input.fit", "\"squash\"")]
    [InlineData("$.input.fit", "2")]
    [InlineData("$.input.cropFraction", "0")]
    [InlineData("$.input.mean", "[1, 2]")]
    [InlineData("$.input.scale[1]", "0")]
    [InlineData("$.input.regionOfInterest.width", "0.9")]
    [InlineData("$.output.tensor", "\"\"")]
    [InlineData("$.labels.size", "200000000")]
    [InlineData("$.labels.digest", "\"sha1:00\"")]
    [InlineData("$.golden.sampleCount", "199")]
    [InlineData("$.golden.blob.size", "67108865")]
    [InlineData("$.accuracyFloor", "93")]
    [InlineData("$.accuracyFloor", "0.94")]
    [InlineData("$.variants", "[]")]
    [InlineData("$.variants[0]", "null")]
    [InlineData("$.variants[1].id", "\"fp32\"")]
    [InlineData("$.variants[0].blob.chunks", "[]")]
    [InlineData("$.variants[0].blob.chunkSize", "4096")]
    [InlineData("$.variants[0].precision", "\"fp8\"")]
    [InlineData("$.variants[0].accuracy.top5", "0.5")]
    [InlineData("$.variants[0].accuracy.top1High", "1.5")]
    [InlineData("$.variants[0].floors.agreement", "1.5")]
    [InlineData("$.variants[0].techniques[0].kind", "\"shaved\"")]
    [InlineData("$.variants[0].requires.executionProviders", "[]")]
    [InlineData("$.variants[0].requires.cpuFeatures[0]", "null")]
    [InlineData("$.variants[0].operators[2]", "\"Add\"")]
    [InlineData("$.variants[0].limits.loadMilliseconds", "0")]
    [InlineData("$.variants[0].macs", "1.5")]
    public void ABrokenRuleIsNamedByItsPath(string path, string value)
    {
        var errors = Manifest.Format.Read(Changed(path, value)).Errors;
        Assert.Contains(errors, e => e.Path.StartsWith(path, StringComparison.Ordinal));
        Assert.All(errors, e => Assert.True(e.Rule.Length > 0 && e.NextStep.Length > 0));
    }

    [Fact]
    public void AllBrokenRulesAreNamedAtOnce()
    {
        var manifest = SampleDocuments.Manifest() with { Name = "", Version = 0, AccuracyFloor = double.NaN };
        var error = Assert.Throws<DocumentException>(() => Manifest.Format.Write(manifest));
        Assert.Equal(["$.name", "$.version", "$.accuracyFloor"], error.Errors.Select(e => e.Path));
        Assert.Contains("$.version is 0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownFieldIsRefused() => Refused(Text().Replace("\"name\"", "\"colour\":1,\"name\"", StringComparison.Ordinal), "colour");

    [Fact]
    public void ADuplicateMemberIsRefused() => Refused(Text().Replace("\"version\":4", "\"version\":4,\"version\":4", StringComparison.Ordinal), "$.version");

    [Fact]
    public void AMissingMemberIsNamed() => Refused(Text().Replace("\"version\":4,", "", StringComparison.Ordinal), "version");

    [Fact]
    public void ANullWhereNoneMayBeIsRefused() => Refused(Text().Replace("\"label\":\"1.4.0\"", "\"label\":null", StringComparison.Ordinal), "label");

    [Fact]
    public void NestingWithoutEndIsRefused() => Refused(Text().Replace("\"version\":4", "\"version\":" + new string('[', 5000), StringComparison.Ordinal), "$.version");

    [Fact]
    public void TrailingBytesAreRefused() => Refused(Text() + "{}", "$");

    [Fact]
    public void BytesThatAreNoJsonAreRefused() => Refused("\u0000\u0001", "$");

    [Fact]
    public void ATooLongManifestIsRefusedUnread() =>
        Assert.Contains("must have at most", Manifest.Format.Read(new byte[Manifest.Format.MaximumByteCount + 1]).Errors.Single().Rule, StringComparison.Ordinal);

    [Fact]
    public void MutatedBytesNeverThrow()
    {
        var original = Manifest.Format.Write(SampleDocuments.Manifest());
        Gen.Select(Gen.Int[0, original.Length - 1], Gen.Byte, Gen.Int[0, original.Length]).Sample((at, value, length) =>
        {
            var bytes = original.ToArray();
            bytes[at] = value;
            _ = Manifest.Format.Read(bytes);
            _ = Manifest.Format.Read(bytes.AsSpan(0, length));
        }, iter: 2000);
    }

    private static void Refused(string json, string named)
    {
        var result = Manifest.Format.Read(Encoding.UTF8.GetBytes(json));
        Assert.False(result.IsValid);
        Assert.Contains(named, string.Join(" ", result.Errors), StringComparison.Ordinal);
    }

    private static string Text() => Encoding.UTF8.GetString(Manifest.Format.Write(SampleDocuments.Manifest()));

    private static byte[] Changed(string path, string value)
    {
        var root = JsonNode.Parse(Text())!;
        var steps = path[2..].Replace("[", ".", StringComparison.Ordinal).Replace("]", "", StringComparison.Ordinal).Split('.');
        var node = root;
        foreach (var step in steps[..^1]) node = int.TryParse(step, out var index) ? node![index] : node![step];
        var changed = JsonNode.Parse(value);
        if (int.TryParse(steps[^1], out var last)) node![last] = changed;
        else node![steps[^1]] = changed;
        return Encoding.UTF8.GetBytes(root.ToJsonString());
    }

    [Fact]
    public void AManifestWithoutACropFractionKeepsAllOfTheRegion()
    {
        var manifest = SampleDocuments.Manifest();
        var written = Manifest.Format.Write(manifest with { Input = manifest.Input with { Fit = FitMode.Stretch, CropFraction = null } });
        Assert.DoesNotContain("cropFraction", System.Text.Encoding.UTF8.GetString(written), StringComparison.Ordinal);
        Assert.Null(Manifest.Format.Read(written).GetOrThrow().Input.CropFraction);
    }
}
