using Dunlin.Agent.Children;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Systemd;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Updates;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;
using Dunlin.Telemetry.Link;

namespace Dunlin.Agent.Reporting;

/// <summary>What the device says of itself: the retained <c>reported</c>, and the status line. Thread-safe.</summary>
internal sealed class DeviceReport(MqttLink link, LinkIdentity identity, MessageSequence sequence, ServiceStatusText status, TimeProvider time)
{
    private static readonly CameraHealth Unseen = new() { Camera = "", State = CameraStates.Starting, StallCount = 0, ReconnectCount = 0, CorruptCount = 0 };

    private readonly Lock _gate = new();
    private ServedRelease? _release;
    private ContenderId? _wanted;
    private ContenderId? _running;
    private string _verdictReason = "Starting.";
    private string? _shiftReason;
    private string? _downReason;
    private string? _restartReason;
    private int _workerRestartCount;
    private ReportedUpdate _update = new(UpdateState.Idle);
    private readonly SortedSet<UpdateCondition> _conditions = [];
    private CameraHealth _camera = Unseen, _formerCamera = Unseen;

    public ContenderId? Running
    {
        get { lock (_gate) return _running; }
    }

    public Digest? ReleaseId
    {
        get { lock (_gate) return _release?.Bundle.ReleaseId; }
    }

    public void SetRelease(ServedRelease? release) => Change(() => _release = release);

    public void SetUpdate(ReportedUpdate update) => Change(() => _update = update);

    /// <summary>What holds of updates for a longer time: stale, read-only.</summary>
    public void SetCondition(UpdateCondition condition, bool holds)
    {
        lock (_gate)
        {
            if (holds ? !_conditions.Add(condition) : !_conditions.Remove(condition)) return;
        }

        Publish();
    }

    /// <param name="verdict">In force from now on.</param>
    public void SetVerdict(Verdict verdict)
    {
        link.PublishRetained(identity.Topics.Race, verdict, MessageJson.Default.Verdict);
        Change(() =>
        {
            (_wanted, _verdictReason, _shiftReason) = (verdict.Winner, verdict.Reason, null);
        });
    }

    /// <param name="reason">Why something else than the verdict's winner serves from now on, or the winner again; until the next verdict.</param>
    public void SetShift(string reason) => Change(() => _shiftReason = reason);

    /// <param name="reason">Why nothing serves any more, nor is to; until the next verdict.</param>
    public void SetNothingRunning(string reason) => Change(() => (_running, _downReason, _shiftReason) = (null, null, reason));

    /// <summary>Call it before the worker's first word of the camera: each worker counts anew, and what those before it counted is added.</summary>
    public void WorkerStarted()
    {
        lock (_gate) _formerCamera = _camera;
    }

    /// <summary>Nothing serves until the next worker has loaded its session.</summary>
    public void WorkerExited(WorkerExit exit) => Change(() =>
    {
        _running = null;
        _workerRestartCount++;
        _downReason = _restartReason = exit.LoadError?.Detail ?? exit.Exit.Reason;
        status.SetProblem("worker", _restartReason);
    });

    public void WorkerLoaded(ContenderId contender) => Change(() =>
    {
        (_running, _downReason) = (contender, null);
        status.SetProblem("worker", null);
    });

    /// <param name="camera">As the running worker sees it.</param>
    public void SetCamera(CameraHealth camera)
    {
        status.SetProblem("camera", camera.State is CameraStates.Ok or CameraStates.Starting ? null : camera.Detail ?? $"Camera '{camera.Camera}' is {camera.State}");
        lock (_gate)
        {
            camera = SinceStart(camera);
            var isNews = IsNews(camera);
            _camera = camera;
            if (!isNews) return;
        }

        Publish();
    }

    /// <summary>The camera was away and came back so soon that the worker, which counts such, did not miss it.</summary>
    public void CameraReconnected() => Change(() =>
    {
        _camera = _camera with { ReconnectCount = _camera.ReconnectCount + 1 };
        _formerCamera = _formerCamera with { ReconnectCount = _formerCamera.ReconnectCount + 1 };
    });

    /// <summary>A camera that delivers, but nothing that can be classified, is a problem too.</summary>
    public void SetFrames(FrameWindow window) => SetProblem("frames", FrameProblem.Of(window));

    /// <summary>A problem of the device, or null when it is solved; published at once if it is news.</summary>
    public void SetProblem(string subject, string? problem)
    {
        if (status.SetProblem(subject, problem)) Publish();
    }

    public void Publish()
    {
        lock (_gate)
        {
            status.SetRunning(StatusLine());
            link.PublishRetained(identity.Topics.Reported, new Reported
            {
                Schema = Reported.CurrentSchema,
                BootId = identity.BootId,
                Sequence = sequence.Next(),
                Time = time.GetUtcNow(),
                Release = _release is { Bundle: var bundle }
                    ? new ReportedRelease(bundle.ReleaseId, bundle.Manifest.Name, bundle.Manifest.Version, bundle.Manifest.Label, _release.IsSigned)
                    : null,
                Wanted = _wanted,
                Running = _running,
                Reason = _downReason ?? _shiftReason ?? _verdictReason,
                Update = _update with { Conditions = [.. _conditions] },
                Camera = _camera,
                WorkerRestartCount = _workerRestartCount,
                WorkerRestartReason = _restartReason,
                Problems = status.Problems,
            }, MessageJson.Default.Reported);
        }
    }

    private CameraHealth SinceStart(CameraHealth camera) => camera with
    {
        StallCount = _formerCamera.StallCount + camera.StallCount,
        ReconnectCount = _formerCamera.ReconnectCount + camera.ReconnectCount,
        CorruptCount = _formerCamera.CorruptCount + camera.CorruptCount,
        MissedCount = _formerCamera.MissedCount + camera.MissedCount,
    };

    // The rate wavers with every window; telemetry has it.
    private bool IsNews(CameraHealth camera) => camera with { ActualFramesPerSecond = _camera.ActualFramesPerSecond } != _camera
        || (_camera.ActualFramesPerSecond is null && camera.ActualFramesPerSecond is not null);

    private string StatusLine() => _release is null ? "no bundle" : _running is null ? $"{_release}: nothing runs" : $"{_release}: {_running}";

    private void Change(Action change)
    {
        lock (_gate) change();
        Publish();
    }
}
