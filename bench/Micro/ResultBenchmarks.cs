using BenchmarkDotNet.Attributes;
using Dunlin.Agent.Children;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Pipeline;
using Dunlin.Telemetry.Latencies;

namespace Dunlin.Bench.Micro;

/// <summary>What follows each inference: five best of 1001 classes, a message for the pipe, a latency for the histogram.</summary>
[MemoryDiagnoser]
public class ResultBenchmarks : IDisposable
{
    private readonly float[] _scores = new float[1001];
    private readonly ClassScore[] _best = new ClassScore[5];
    private readonly MessageWriter _writer = new();
    private readonly LatencyRecorder _recorder = new();
    private long _number;

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        for (var i = 0; i < _scores.Length; i++) _scores[i] = random.NextSingle();
        TopScores.Select(_scores, _best);
    }

    [Benchmark]
    public int TopFive() => TopScores.Select(_scores, _best);

    [Benchmark]
    public int PipeMessage() => _writer.WriteResult(++_number, 1_234_567_890_123, 3.21, _best).Length;

    [Benchmark]
    public void RecordLatency() => _recorder.RecordMicroseconds(++_number & 8191);

    public void Dispose()
    {
        _writer.Dispose();
        GC.SuppressFinalize(this);
    }
}
