namespace Dunlin.Runtime.Preprocessing;

/// <summary>What became of a frame that was to be made a tensor. All but <see cref="Ok"/> are corrupt frames; the tensor is then undefined.</summary>
public enum FrameStatus
{
    Ok = 1,

    /// <summary>No bytes at all.</summary>
    Empty = 2,

    /// <summary>Does not begin with the JPEG magic FF D8 FF.</summary>
    NotJpeg = 3,

    /// <summary>An incomplete or damaged JPEG.</summary>
    Corrupt = 4,

    /// <summary>The header claims more pixels than <see cref="JpegLimits"/> allow; nothing was decoded.</summary>
    TooLarge = 5,

    /// <summary>An uncompressed frame whose size, stride and byte count do not fit together.</summary>
    WrongLength = 6,

    /// <summary>A JPEG of a kind that no camera sends and that is not decoded: <see cref="JpegHeader.UndecodedKind"/>.</summary>
    Unsupported = 7,
}
