using System.Text.Json.Serialization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;

namespace Dunlin.Contracts.Worker;

/// <summary>
/// What the supervisor says to a worker or heat process. On the pipe: u32 little-endian length ≤ 1 MiB, then UTF-8 JSON.
/// The first message each way is the protocol version (<see cref="Hello"/>, <see cref="Ready"/>).
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FailSerialization)]
[JsonDerivedType(typeof(Hello), "hello")]
[JsonDerivedType(typeof(Load), "load")]
[JsonDerivedType(typeof(Swap), "swap")]
[JsonDerivedType(typeof(SetWindow), "window")]
[JsonDerivedType(typeof(TakeSnapshot), "snapshot")]
[JsonDerivedType(typeof(CheckModel), "check")]
[JsonDerivedType(typeof(Prepare), "prepare")]
[JsonDerivedType(typeof(Golden), "golden")]
[JsonDerivedType(typeof(Heat), "heat")]
[JsonDerivedType(typeof(Classify), "classify")]
[JsonDerivedType(typeof(ExplainFrame), "explain")]
[JsonDerivedType(typeof(StopChild), "stop")]
public abstract record ToChild;

public sealed record Hello : ToChild
{
    public const int CurrentProtocol = 1;

    public required int Protocol { get; init; }
}

/// <summary>How one session is made. Paths are below the child's own allowed folders.</summary>
public sealed record SessionSpec
{
    /// <summary>The ONNX file, or the saved model's file.</summary>
    public required string ModelPath { get; init; }

    /// <summary>The model at <see cref="ModelPath"/> was saved by a heat: load at optimization level 0 with memory-mapped weights.</summary>
    public required bool Saved { get; init; }

    public required Digest Release { get; init; }
    public required ContenderId Contender { get; init; }
    public required InputSpec Input { get; init; }
    public required OutputSpec Output { get; init; }

    /// <summary>Stay with the supervisor: a thousand classes for each of forty contenders are longer than a message may be.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Labels { get; init; } = [];

    /// <summary>As many as there are labels; a child, which has none, is told.</summary>
    public int ClassCount { get => field > 0 ? field : Labels.Count; init; }

    /// <summary>Given by the supervisor, another for each load and swap of one worker; results and windows name it, since a contender's id may be the same in two releases.</summary>
    public int Number { get; init; }
}

/// <summary>To the worker, once: open the camera, make the session, run.</summary>
public sealed record Load : ToChild
{
    public required SessionSpec Session { get; init; }
    public required CameraSpec Camera { get; init; }
    public required LoopSpec Loop { get; init; }
}

/// <summary>To the worker: make this session beside the old one, then change over between two frames.</summary>
public sealed record Swap : ToChild
{
    public required SessionSpec Session { get; init; }
}

/// <summary>To the worker: send windows of this length from now on, instead of <see cref="LoopSpec.WindowMilliseconds"/>.</summary>
public sealed record SetWindow : ToChild
{
    public required int WindowMilliseconds { get; init; }
}

/// <summary>To the worker: send the next frame that is classified.</summary>
public sealed record TakeSnapshot : ToChild;

/// <summary>To a heat that loads no ONNX Runtime: walk over a release's ONNX file and hold it against what its manifest says.</summary>
public sealed record CheckModel : ToChild
{
    public required string ModelPath { get; init; }

    /// <summary>Bytes that the file must have.</summary>
    public required long ByteCount { get; init; }

    /// <summary>All that the graph may use, as in <see cref="Variant.Operators"/>.</summary>
    public required IReadOnlyList<string> Operators { get; init; }

    public required InputSpec Input { get; init; }
    public required OutputSpec Output { get; init; }

    /// <summary>Labels of the release.</summary>
    public required int ClassCount { get; init; }
}

/// <summary>To a heat: create the session at level ALL and save the optimized model into <see cref="OutputDirectory"/>.</summary>
public sealed record Prepare : ToChild
{
    public required SessionSpec Session { get; init; }
    public required string OutputDirectory { get; init; }
}

/// <summary>To a heat: run the golden set.</summary>
public sealed record Golden : ToChild
{
    public required SessionSpec Session { get; init; }
    public required string GoldenPath { get; init; }
    public required GoldenFloors Floors { get; init; }
}

/// <summary>To a heat: race these sessions, interleaved, until they are separated or the budget is spent.</summary>
public sealed record Heat : ToChild
{
    /// <summary>In order of preference: what is kept in a tie comes first.</summary>
    public required IReadOnlyList<SessionSpec> Sessions { get; init; }

    public required Objective Objective { get; init; }

    /// <summary>Wall time for all of it.</summary>
    public required int BudgetMilliseconds { get; init; }

    /// <summary>Probability, per race, of dropping the best contender.</summary>
    public required double Alpha { get; init; }

    /// <summary>The share by which a challenger must beat the incumbent.</summary>
    public required double TieMargin { get; init; }

    public ContenderId? Incumbent { get; init; }
    public double? DeadlineMilliseconds { get; init; }

    /// <summary>Bytes that the sessions may take together, else they race in waves; null: all at once.</summary>
    public long? MemoryByteCount { get; init; }

    /// <summary>Joules per CPU second of the estimate; null where the supervisor reads a meter.</summary>
    public double? JoulesPerCpuSecond { get; init; }
}

/// <summary>To a heat: classify these JPEG files once.</summary>
public sealed record Classify : ToChild
{
    public required SessionSpec Session { get; init; }
    public required IReadOnlyList<string> Images { get; init; }
    public required int TopCount { get; init; }
}

/// <summary>To a heat: where the model looks in this frame.</summary>
public sealed record ExplainFrame : ToChild
{
    public required SessionSpec Session { get; init; }

    /// <summary>A JPEG.</summary>
    public required ReadOnlyMemory<byte> Image { get; init; }
}

public sealed record StopChild : ToChild;

/// <summary>The camera as the worker sees it.</summary>
public sealed record CameraSpec
{
    public required CameraKind Kind { get; init; }

    /// <summary>A device, a folder, or for a pipe what it carries (for messages only).</summary>
    public required string Source { get; init; }

    /// <summary>The inherited descriptor of a pipe of concatenated JPEG frames.</summary>
    public int? Descriptor { get; init; }

    /// <summary>What to ask a V4L2 device for.</summary>
    public int Width { get; init; } = 640;

    public int Height { get; init; } = 480;

    /// <summary>Asked of V4L2, given by folders, expected of others.</summary>
    public double FramesPerSecond { get; init; } = 30;

    /// <summary>Milliseconds without a frame that count as a stall.</summary>
    public int StallMilliseconds { get; init; } = 3000;

    /// <summary>For a folder: begin again after the last image. For a pipe: what it carries goes on, so that what nobody took in time is left out.</summary>
    public bool Repeat { get; init; } = true;

    /// <summary>For <see cref="CameraKind.Folder"/>: go as fast as frames are taken, each exactly once (bench and tests).</summary>
    public bool Unpaced { get; init; }
}

public enum CameraKind
{
    [JsonStringEnumMemberName("folder")] Folder = 1,
    [JsonStringEnumMemberName("v4l2")] V4l2 = 2,
    [JsonStringEnumMemberName("pipe")] Pipe = 3,
}

public sealed record LoopSpec
{
    public int TopCount { get; init; } = 5;

    /// <summary>Send every n-th result; 0 sends on change of the best class only.</summary>
    public int ResultEvery { get; init; } = 1;

    /// <summary>Frames older than this when their turn comes are stale; null: none are.</summary>
    public double? DeadlineMilliseconds { get; init; }

    /// <summary>Decode the next frame while this one is inferred.</summary>
    public bool Overlap { get; init; } = true;

    public required int WindowMilliseconds { get; init; }
}
