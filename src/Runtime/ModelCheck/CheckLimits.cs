namespace Dunlin.Runtime.ModelCheck;

/// <summary>
/// What no image classifier needs to exceed: an EfficientNetV2-L as QDQ has about 8,000 nodes. Far below what makes
/// ONNX Runtime slow or large, since each part costs it memory whatever the file's size is.
/// </summary>
internal static class CheckLimits
{
    public const int Nodes = 20_000;
    public const int Tensors = 20_000;
    public const int ValueInfos = 40_000;
    public const int AttributesPerNode = 64;
    public const int EndsPerNode = 2_048;

    /// <summary>Numbers or texts in one attribute.</summary>
    public const int AttributeItems = 4_096;

    public const int Dimensions = 8;

    /// <summary>Elements of a tensor; also of a shape that is only declared.</summary>
    public const long Elements = int.MaxValue;

    /// <summary>Bytes of one name.</summary>
    public const int NameByteCount = 512;

    /// <summary>Bytes of all names that the walk remembers.</summary>
    public const int NamesByteCount = 8 * 1024 * 1024;

    /// <summary>Fields of the whole file; elements of a packed field are not counted.</summary>
    public const int Fields = 2_000_000;

    /// <summary>Numbers written as varints, which cannot be skipped without being read.</summary>
    public const long TypedElements = 64 * 1024 * 1024;

    /// <summary>Bytes of comments, metadata and text attributes: nothing runs on them, but ONNX Runtime holds them in memory.</summary>
    public const long TextByteCount = 16 * 1024 * 1024;

    public const int OpsetImports = 64;

    /// <summary>Copies of one tensor in another. DenseNet-201 reaches 49, a bomb doubles with every node.</summary>
    public const double Growth = 4_096;

    /// <summary>Elements of the largest tensor that a short list of int64 may ask for, where it is taken as a shape: 256 MB of floats.</summary>
    public const double ShapeElements = 1 << 26;

    /// <summary>Largest magnitude of a stride, pad, dilation, kernel size or group.</summary>
    public const long WindowSize = 65_535;
}
