using System.Diagnostics;
using System.Globalization;
using Dunlin.Bench.Material;
using Dunlin.TestKit.Brokers;

namespace Dunlin.Bench.Processes;

/// <summary>The Node program of <c>bench/peers/node</c>.</summary>
/// <param name="Workshop">Where it is installed.</param>
/// <param name="Broker">Where it publishes.</param>
/// <param name="Tuned">One intra-op thread, no spinning, sharp with one thread; else defaults.</param>
internal sealed record NodeProcess(Workshop Workshop, MosquittoBroker Broker, bool Tuned)
{
    private const string Topic = "peer/result";

    public required string Model { get; init; }
    public required string Frames { get; init; }

    /// <summary>0: as fast as it can.</summary>
    public double FramesPerSecond { get; init; }

    public Task<MeasuredProcess> StartAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(Workshop.NodePeer, "peer.js")]);
        start.Environment["MODEL"] = Model;
        start.Environment["FRAMES"] = Frames;
        start.Environment["LABELS"] = Workshop.ImageNetFile("labels.txt");
        start.Environment["BROKER"] = string.Create(CultureInfo.InvariantCulture, $"mqtt://127.0.0.1:{Broker.Port}");
        start.Environment["TOPIC"] = Topic;
        start.Environment["TUNED"] = Tuned ? "1" : "";
        start.Environment["RATE"] = FramesPerSecond.ToString(CultureInfo.InvariantCulture);
        return MeasuredProcess.StartAsync(start, Broker, Topic, cancellationToken);
    }
}
