using System.Diagnostics;
using System.Globalization;
using Dunlin.Bench.Material;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Bench.Processes;

/// <summary>The published <c>dunlin-agent run</c>. Its state directory lives as long as the work folder, so that its verdict and saved models are cached.</summary>
internal sealed record AgentProcess(Workshop Workshop, MosquittoBroker Broker)
{
    public const string Fleet = "bench";
    private static readonly TimeSpan RaceTime = TimeSpan.FromMinutes(2);

    public required string Bundle { get; init; }
    public required string Frames { get; init; }

    /// <summary>Empty: the race decides.</summary>
    public string Variant { get; init; } = "";

    public int MaximumThreads { get; init; } = 1;

    public string Device { get; init; } = "board";

    /// <summary>More assignments, <c>Section:Key=value</c>, which win over the bench's own.</summary>
    public IReadOnlyList<string> Set { get; init; } = [];

    /// <summary>Null: as fast as they are taken.</summary>
    public double? FramesPerSecond { get; init; }

    private string State => Path.Combine(Workshop.Folder, "state", $"{Path.GetFileName(Bundle)}-{(Variant.Length == 0 ? "race" : Variant)}-{MaximumThreads}");

    /// <summary>What the worker loads, once primed.</summary>
    public string SavedModel => Directory.EnumerateFiles(new StateLayout(State).Cache, Runtime.Sessions.SavedModel.GraphFile, SearchOption.AllDirectories).Single();

    /// <summary>Runs until the verdict is cached, so that later starts find it and the saved models.</summary>
    public async Task PrimeAsync(CancellationToken cancellationToken)
    {
        // One of an earlier bundle would say nothing of this one.
        var verdicts = new StateLayout(State).Verdicts;
        if (Directory.Exists(verdicts)) Directory.Delete(verdicts, recursive: true);
        await using var process = await StartAsync(cancellationToken);
        await Eventually.TrueAsync(() => Directory.Exists(verdicts) && Directory.EnumerateFiles(verdicts).Any(), $"a verdict in {verdicts}", RaceTime);
    }

    public Task<MeasuredProcess> StartAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(State);
        string[] settings =
        [
            $"Device:Id={Device}", $"Device:Fleet={Fleet}", $"Device:Bundle={Bundle}", $"Device:StateDirectory={State}", "Updates:AllowUnsigned=true",
            $"Camera:Source={Frames}", FramesPerSecond is { } rate ? string.Create(CultureInfo.InvariantCulture, $"Camera:FramesPerSecond={rate}") : "Camera:Unpaced=true",
            "Results:Every=1", $"Race:Variant={Variant}", string.Create(CultureInfo.InvariantCulture, $"Race:MaximumThreads={MaximumThreads}"),
            "Mqtt:Host=127.0.0.1", string.Create(CultureInfo.InvariantCulture, $"Mqtt:Port={Broker.Port}"), .. Set,
        ];
        var start = new ProcessStartInfo(Workshop.Agent, ["run", .. settings.SelectMany(setting => new[] { "--set", setting })]);
        return MeasuredProcess.StartAsync(start, Broker, $"dunlin/v1/{Fleet}/{Device}/result", cancellationToken);
    }
}
