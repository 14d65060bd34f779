using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Updates.Fetching;

/// <summary>A fetcher as the agent makes it, with short patience and a folder of its own.</summary>
internal sealed class FetchSetup : IDisposable
{
    /// <summary>But for <see cref="FetchLimits.Patience"/>, which who waits for its end makes short: the others are not to lose theirs while the machine stands still.</summary>
    internal static readonly FetchLimits Impatient = new()
    {
        SlowWindow = TimeSpan.FromSeconds(15),
        Patience = Eventually.Patience,
        TotalTime = TimeSpan.FromSeconds(60),
        ConnectTimeout = TimeSpan.FromSeconds(2),
        BackoffBase = TimeSpan.FromMilliseconds(20),
        BackoffMaximum = TimeSpan.FromMilliseconds(100),
        ChunkTimeout = TimeSpan.FromSeconds(1),
    };

    private readonly bool _ownsFolder;

    internal FetchSetup(UpdateOptions? options = null, FetchLimits? limits = null, MqttOptions? broker = null, string? folder = null, long reserve = BlobStore.StandardReserveByteCount, TimeProvider? time = null)
    {
        _ownsFolder = folder is null;
        Layout = new StateLayout(folder ?? Directory.CreateTempSubdirectory("dunlin-fetch-").FullName);
        Store = new BlobStore(Layout, reserve);
        Store.Recover();
        Identity = new LinkIdentity(new Topics("demo", "belt-1"), Guid.NewGuid().ToString("N"), "0.1.0", Board);
        Link = new MqttLink(Identity, broker ?? new MqttOptions { Host = "" }, new LoopTicks(TimeProvider.System), TimeProvider.System, NullLogger<MqttLink>.Instance);
        var channel = new BlobChannel(Link, Identity);
        limits ??= Impatient;
        Fetcher = new ArtifactFetcher(Store, new SourceFactory(options ?? new UpdateOptions(), limits, channel, time ?? TimeProvider.System), limits, time ?? TimeProvider.System, Log);
    }

    internal StateLayout Layout { get; }

    internal BlobStore Store { get; }

    internal LinkIdentity Identity { get; }

    internal MqttLink Link { get; }

    internal ArtifactFetcher Fetcher { get; }

    internal Lines<ArtifactFetcher> Log { get; } = new();

    internal List<FetchProgress> Progress { get; } = [];

    internal long ReceivedByteCount => Progress.Count == 0 ? 0 : Progress.Max(p => p.ReceivedByteCount);

    private static Hardware Board { get; } = new()
    {
        Model = "Test board", CpuModel = "Test CPU", Architecture = "x64", Cores = 2, MemoryByteCount = 1 << 30, Kernel = "6.1", OperatingSystem = "Debian 12",
    };

    internal static ArtifactSource Http(string location) => new() { Kind = SourceKind.Http, Location = location };

    internal static ArtifactSource Oci(string host, string repository = "garments") => new() { Kind = SourceKind.Oci, Location = $"oci://{host}/{repository}" };

    internal static ArtifactSource Mqtt { get; } = new() { Kind = SourceKind.Mqtt };

    internal Task<FetchResult> FetchAsync(SampleBlob blob, params ArtifactSource[] sources) => FetchAsync([blob.Blob], sources);

    internal async Task<FetchResult> FetchAsync(IReadOnlyList<Blob> blobs, params ArtifactSource[] sources)
    {
        var result = await Fetcher.FetchAsync(blobs, sources, Progress.Add, TestContext.Current.CancellationToken);
        Assert.Equal(result.IsSuccess, blobs.All(Store.IsWhole));
        return result;
    }

    /// <summary>Fetches and expects success.</summary>
    internal async Task SucceedAsync(SampleBlob blob, params ArtifactSource[] sources)
    {
        var result = await FetchAsync(blob, sources);
        Assert.True(result.IsSuccess, $"{result.Code}: {result.Detail}");
        Assert.Equal(blob.Content, await File.ReadAllBytesAsync(Layout.Blob(blob.Blob.Digest), TestContext.Current.CancellationToken));
        Assert.Empty(Directory.GetFiles(Layout.Partial));
    }

    public void Dispose()
    {
        Link.Dispose();
        if (_ownsFolder) Directory.Delete(Layout.Root, recursive: true);
    }
}
