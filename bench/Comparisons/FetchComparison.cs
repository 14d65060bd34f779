using System.Diagnostics;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Reporting;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;
using Microsoft.Extensions.Logging.Abstractions;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>How fast a blob comes into the store, chunks and whole hashed and all of it synced, against curl.</summary>
internal static class FetchComparison
{
    private const string Topic = "fetch";
    private const int ByteCount = 256 * 1000 * 1000;
    private const int SmallByteCount = 2 * 1000 * 1000;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(Rig rig)
    {
        if (!File.Exists("/usr/bin/curl") || !File.Exists("/usr/sbin/nginx"))
            return [Measurement.Skipped(Topic, "256 MB over HTTP on loopback: fetch ÷ curl", "×", Threshold.Minimum(0.8), "curl or nginx is not installed")];
        await using var nginx = await NginxServer.StartAsync();
        var (large, small) = (new SampleBlob(ByteCount), new SampleBlob(SmallByteCount, 2));
        foreach (var blob in (SampleBlob[])[large, small]) nginx.Put(blob.Hex, blob.Content);
        var folder = Directory.CreateTempSubdirectory("dunlin-bench-fetch-").FullName;
        try
        {
            using var fetch = new Fetch(folder, nginx.Address);
            await fetch.RunAsync(small.Blob);
            var curl = Path.Combine(folder, "curl");
            var legs = await Interleaved.RunAsync(
                2 * rig.Settings.Rounds,
                () => CleanAsync(curl, () => TimeAsync("curl", "-s", "-o", curl, $"{nginx.Address}/blobs/sha256/{large.Hex}")),
                () => CleanAsync(curl, () => TimeAsync("sh", "-c", $"curl -s -o '{curl}' {nginx.Address}/blobs/sha256/{large.Hex} && sha256sum '{curl}' > /dev/null && sync '{curl}'")),
                () => CleanAsync(curl, () => fetch.RunAsync(large.Blob)));
            return
            [
                Row(Topic, "256 MB over HTTP on loopback: throughput of a fetch ÷ curl", "×", Sample.Ratio(legs[0], legs[2]), Threshold.Minimum(0.8), "curl only writes the file"),
                Row(Topic, "the same ÷ curl, sha256sum and sync one after the other", "×", Sample.Ratio(legs[1], legs[2])),
                Row(Topic, "the same: fetch", "MB/s", Sample.Of(legs[2].Select(seconds => ByteCount / seconds / 1e6))),
                Row(Topic, "the same: curl", "MB/s", Sample.Of(legs[0].Select(seconds => ByteCount / seconds / 1e6))),
                Row(Topic, "the same: curl, sha256sum and sync", "MB/s", Sample.Of(legs[1].Select(seconds => ByteCount / seconds / 1e6))),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>No leg pays for what the one before left to be written.</summary>
    private static async Task<double> CleanAsync(string file, Func<Task<double>> leg)
    {
        File.Delete(file);
        await TimeAsync("sync");
        return await leg();
    }

    private static async Task<double> TimeAsync(string program, params string[] arguments)
    {
        var start = Stopwatch.GetTimestamp();
        using var process = Process.Start(program, arguments);
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? Stopwatch.GetElapsedTime(start).TotalSeconds : throw new IOException($"{program} ended with {process.ExitCode}.");
    }

    /// <summary>The agent's own fetcher on a store of its own.</summary>
    private sealed class Fetch : IDisposable
    {
        private readonly BlobStore _store;
        private readonly MqttLink _link;
        private readonly ArtifactFetcher _fetcher;
        private readonly ArtifactSource _source;

        public Fetch(string folder, string address)
        {
            _store = new BlobStore(new StateLayout(Path.Combine(folder, "state")));
            _store.Recover();
            var hardware = new Hardware { Model = "", CpuModel = "", Architecture = "x64", Cores = 1, MemoryByteCount = 1, Kernel = "", OperatingSystem = "" };
            var identity = new LinkIdentity(new Topics("bench", "bench"), "bench", "0", hardware);
            _link = new MqttLink(identity, new MqttOptions { Host = "" }, new LoopTicks(TimeProvider.System), TimeProvider.System, NullLogger<MqttLink>.Instance);
            var limits = new FetchLimits();
            var factory = new SourceFactory(new UpdateOptions(), limits, new BlobChannel(_link, identity), TimeProvider.System);
            _fetcher = new ArtifactFetcher(_store, factory, limits, TimeProvider.System, NullLogger<ArtifactFetcher>.Instance);
            _source = new ArtifactSource { Kind = SourceKind.Http, Location = address };
        }

        /// <returns>Seconds.</returns>
        public async Task<double> RunAsync(Blob blob)
        {
            var start = Stopwatch.GetTimestamp();
            var result = await _fetcher.FetchAsync([blob], [_source], null, CancellationToken.None);
            var elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            _store.Delete(blob.Digest);
            return result.IsSuccess ? elapsed : throw new IOException(result.Detail);
        }

        public void Dispose() => _link.Dispose();
    }
}
