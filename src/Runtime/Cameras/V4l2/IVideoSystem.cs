namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>The seam to the kernel: opens video devices. Calls return 0 or an error number, as <see cref="Errno"/> lists them.</summary>
internal interface IVideoSystem
{
    int Open(string path, out IVideoDevice? device);
}

/// <summary>An open video device. Disposing unmaps what is still mapped and closes it.</summary>
internal interface IVideoDevice : IDisposable
{
    /// <summary>One ioctl with the structure that belongs to the request.</summary>
    int Control(uint request, Span<byte> argument);

    /// <summary>Maps a driver's buffer; valid until <see cref="IDisposable.Dispose"/>.</summary>
    int Map(uint offset, uint length);

    /// <summary>The content of the n-th mapped buffer.</summary>
    ReadOnlySpan<byte> Mapped(int index);

    /// <summary>Waits for a filled buffer or an error condition; false after the timeout.</summary>
    bool WaitReady(int timeoutMilliseconds);
}
