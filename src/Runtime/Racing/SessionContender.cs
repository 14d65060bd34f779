using System.Diagnostics;
using System.Globalization;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Runtime.Racing;

/// <summary>A session on a seeded random image, timed by the wall clock and by the CPU time that the process used.</summary>
public sealed class SessionContender : IContender, IDisposable
{
    private readonly ModelSession _session;
    private readonly ModelInput _input;

    private SessionContender(ModelSession session, SessionSpec spec, int preference)
    {
        _session = session;
        _input = session.CreateInput();
        Preference = preference;
        var random = new Random(1);
        var images = new GoldenImages(spec.Input);
        var image = new byte[spec.Input.Width * spec.Input.Height * spec.Input.ChannelCount];
        random.NextBytes(image);
        images.Fill(image, _input);
    }

    public ContenderId Id => _session.Contender;
    public int Preference { get; }

    /// <summary>Bytes by which the process grew for this session and its first run.</summary>
    public long MemoryByteCount { get; private set; }

    /// <exception cref="ModelLoadException">As <see cref="ModelSession.Create"/>.</exception>
    public static SessionContender Open(SessionSpec spec, int preference)
    {
        var before = ResidentByteCount();
        var session = ModelSession.Create(spec);
        try
        {
            var contender = new SessionContender(session, spec, preference);
            contender.Measure();
            contender.MemoryByteCount = Math.Max(0, ResidentByteCount() - before);
            return contender;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public RunSample Measure()
    {
        // By getrusage: CLOCK_PROCESS_CPUTIME_ID moves with the scheduler's ticks once the process has a limit of CPU time, as every heat has.
        var cpu = Environment.CpuUsage.TotalTime;
        var start = Stopwatch.GetTimestamp();
        _session.Run(_input);
        var ticks = Stopwatch.GetTimestamp() - start;
        return new RunSample(ticks * (1e9 / Stopwatch.Frequency), (Environment.CpuUsage.TotalTime - cpu).TotalNanoseconds);
    }

    public void Dispose()
    {
        _input.Dispose();
        _session.Dispose();
    }

    /// <summary>Of this process.</summary>
    internal static long ResidentByteCount() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
}
