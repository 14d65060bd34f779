using System.Runtime.InteropServices;

namespace Dunlin.Runtime.Cameras.V4l2;

internal static class VideoDeviceCalls
{
    public static int Control<T>(this IVideoDevice device, uint request, ref T argument) where T : unmanaged =>
        device.Control(request, MemoryMarshal.AsBytes(new Span<T>(ref argument)));
}
