using System.Runtime.InteropServices;

namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>Real devices through open, ioctl, mmap and poll.</summary>
internal sealed class LinuxVideoSystem : IVideoSystem
{
    public int Open(string path, out IVideoDevice? device)
    {
        device = null;
        while (true)
        {
            var descriptor = LibC.Open(path, LibC.OpenReadWrite | LibC.OpenNonBlocking | LibC.OpenCloseOnExec);
            if (descriptor >= 0)
            {
                device = new Device(descriptor);
                return 0;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error != Errno.Interrupted) return error;
        }
    }

    private sealed unsafe class Device(int descriptor) : IVideoDevice
    {
        private readonly List<(nint Address, uint Length)> _mapped = [];
        private bool _isClosed;

        public int Control(uint request, Span<byte> argument)
        {
            fixed (byte* pointer = argument)
            {
                while (LibC.Ioctl(descriptor, request, pointer) < 0)
                {
                    var error = Marshal.GetLastPInvokeError();
                    if (error != Errno.Interrupted) return error;
                }

                return 0;
            }
        }

        public int Map(uint offset, uint length)
        {
            var address = LibC.Map(0, length, LibC.ProtectionReadWrite, LibC.MapShared, descriptor, offset);
            if (address == -1) return Marshal.GetLastPInvokeError();
            _mapped.Add((address, length));
            return 0;
        }

        public ReadOnlySpan<byte> Mapped(int index) => new((void*)_mapped[index].Address, (int)_mapped[index].Length);

        public bool WaitReady(int timeoutMilliseconds) => LibC.WaitReadable(descriptor, timeoutMilliseconds) != 0;

        public void Dispose()
        {
            if (_isClosed) return;
            _isClosed = true;
            foreach (var (address, length) in _mapped) _ = LibC.Unmap(address, length);
            _ = LibC.Close(descriptor);
        }
    }
}
