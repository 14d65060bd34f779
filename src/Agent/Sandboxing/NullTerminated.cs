using System.Runtime.InteropServices;
using System.Text;

namespace Dunlin.Agent.Sandboxing;

/// <summary>An array of C strings in native memory, ended by a null pointer, as execve and posix_spawn want it.</summary>
internal sealed unsafe class NullTerminated : IDisposable
{
    private readonly byte** _pointers;
    private readonly int _count;

    public NullTerminated(IReadOnlyList<string> values)
    {
        _count = values.Count;
        _pointers = (byte**)NativeMemory.AllocZeroed((nuint)_count + 1, (nuint)sizeof(byte*));
        for (var i = 0; i < _count; i++) _pointers[i] = (byte*)Marshal.StringToCoTaskMemUTF8(values[i]);
    }

    public byte** Pointers => _pointers;

    public static byte[] Path(string path) => Encoding.UTF8.GetBytes(path + '\0');

    public void Dispose()
    {
        for (var i = 0; i < _count; i++) Marshal.FreeCoTaskMem((nint)_pointers[i]);
        NativeMemory.Free(_pointers);
    }
}
