namespace Dunlin.Runtime.ModelCheck;

/// <summary>Why the static check refuses a model.</summary>
public static class CheckCodes
{
    /// <summary>Not there, no regular file, or not readable.</summary>
    public const string Unreadable = "check.unreadable";

    /// <summary>The file's length is not the one that the manifest states.</summary>
    public const string Size = "check.size";

    /// <summary>The bytes are no protobuf message: a varint, length, tag or group that cannot be, or text that is none.</summary>
    public const string Malformed = "check.malformed";

    /// <summary>A field that ONNX does not know, has no use for here, or that stands twice where it may stand once.</summary>
    public const string Field = "check.field";

    /// <summary>More nodes, tensors, names or other parts than a classifier needs.</summary>
    public const string Limit = "check.limit";

    /// <summary>Model-local functions.</summary>
    public const string Function = "check.function";

    /// <summary>Training information.</summary>
    public const string Training = "check.training";

    /// <summary>Weights outside the file.</summary>
    public const string ExternalData = "check.external-data";

    /// <summary>Sparse tensors.</summary>
    public const string Sparse = "check.sparse";

    /// <summary>If, Loop, Scan, or any graph inside a node.</summary>
    public const string ControlFlow = "check.control-flow";

    /// <summary>An operator of a domain that is none of ONNX's own and <c>com.microsoft</c>, or that the model does not import.</summary>
    public const string Domain = "check.domain";

    /// <summary>An operator that the manifest does not list.</summary>
    public const string Operator = "check.operator";

    /// <summary>An operator set version that this agent does not support.</summary>
    public const string Opset = "check.opset";

    /// <summary>A file format version that this agent does not support.</summary>
    public const string IrVersion = "check.ir-version";

    /// <summary>A value that is no tensor, or whose declared shape cannot be.</summary>
    public const string Type = "check.type";

    /// <summary>A tensor whose type, dimensions and bytes do not agree.</summary>
    public const string Tensor = "check.tensor";

    /// <summary>An attribute with a value that it cannot have.</summary>
    public const string Attribute = "check.attribute";

    /// <summary>Names that are made twice, used before they are made, or never made.</summary>
    public const string Graph = "check.graph";

    /// <summary>Concatenations that multiply a tensor far beyond its size.</summary>
    public const string Growth = "check.growth";

    /// <summary>An input that is not the manifest's.</summary>
    public const string Input = "check.input";

    /// <summary>An output that is not the manifest's.</summary>
    public const string Output = "check.output";
}
