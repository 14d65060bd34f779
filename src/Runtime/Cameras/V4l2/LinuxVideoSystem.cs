using System.Buffers;
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

        public int Map(uint offset, uint length, out IMemoryOwner<byte>? memory)
        {
            var address = LibC.Map(0, length, LibC.ProtectionReadWrite, LibC.MapShared, descriptor, offset);
            memory = address == -1 ? null : new Mapping(address, (int)length);
            return memory is null ? Marshal.GetLastPInvokeError() : 0;
        }

        public bool WaitReady(int timeoutMilliseconds) => LibC.WaitReadable(descriptor, timeoutMilliseconds) != 0;

        public void Dispose()
        {
            if (_isClosed) return;
            _isClosed = true;
            _ = LibC.Close(descriptor);
        }
    }

    private sealed unsafe class Mapping(nint address, int length) : MemoryManager<byte>
    {
        private int _isUnmapped;

        public override Span<byte> GetSpan() => new((void*)address, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)address + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
            if (Interlocked.Exchange(ref _isUnmapped, 1) == 0) _ = LibC.Unmap(address, (nuint)length);
        }
    }
}
