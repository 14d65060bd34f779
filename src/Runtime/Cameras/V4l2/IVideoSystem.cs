using System.Buffers;

namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>The seam to the kernel: opens video devices. Calls return 0 or an error number, as <see cref="Errno"/> lists them.</summary>
internal interface IVideoSystem
{
    int Open(string path, out IVideoDevice? device);
}

/// <summary>An open video device. Disposing closes it; what was mapped stays until it is disposed of itself.</summary>
internal interface IVideoDevice : IDisposable
{
    /// <summary>One ioctl with the structure that belongs to the request.</summary>
    int Control(uint request, Span<byte> argument);

    /// <summary>Maps a driver's buffer.</summary>
    int Map(uint offset, uint length, out IMemoryOwner<byte>? memory);

    /// <summary>Waits for a filled buffer or an error condition; false after the timeout.</summary>
    bool WaitReady(int timeoutMilliseconds);
}
