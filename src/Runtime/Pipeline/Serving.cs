using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Runtime.Pipeline;

/// <summary>
/// A session with what it needs per frame: its preprocessor, and one input for each stage. Owns these, not the session.
/// Guarded by the gate of <see cref="JobExchange"/>: <see cref="FramesInFlight"/> and the free inputs.
/// </summary>
internal sealed class Serving : IDisposable
{
    private readonly Preprocessor _preprocessor;
    private readonly bool _bytes;
    private readonly Job[] _free;
    private int _freeCount;

    public Serving(ModelSession session, InputSpec input, int stages)
    {
        Session = session;
        _bytes = input.ElementType == ElementType.UInt8;
        _preprocessor = new Preprocessor(input);
        _free = new Job[stages];
        for (var i = 0; i < stages; i++) _free[i] = new Job(this, session.CreateInput());
        _freeCount = stages;
    }

    public ModelSession Session { get; }
    public int FramesInFlight => _free.Length - _freeCount;

    public bool HasFree => _freeCount > 0;

    public Job? TryRent() => HasFree ? _free[--_freeCount] : null;

    public void Return(Job job) => _free[_freeCount++] = job;

    public FrameStatus Preprocess(FrameBuffer frame, Job job) => _bytes
        ? _preprocessor.Process(frame, job.Input.Bytes)
        : _preprocessor.Process(frame, job.Input.Floats);

    public void Dispose()
    {
        foreach (var job in _free) job.Input.Dispose();
        _preprocessor.Dispose();
    }
}

/// <summary>A frame between the stages.</summary>
internal sealed class Job(Serving serving, ModelInput input)
{
    public Serving Serving { get; } = serving;
    public ModelInput Input { get; } = input;
    public long Number { get; set; }
    public long CapturedNanoseconds { get; set; }
    public long PreprocessNanoseconds { get; set; }
}
