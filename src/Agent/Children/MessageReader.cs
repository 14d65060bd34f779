using System.Runtime.InteropServices;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Agent.Sandboxing;

namespace Dunlin.Agent.Children;

/// <summary>Reads messages from a pipe, waiting for them; the child's side.</summary>
internal sealed class MessageReader(int descriptor)
{
    private readonly MessageBuffer _buffer = new();

    /// <summary>The next message, or null when the other side has closed the pipe.</summary>
    /// <exception cref="MessageException">What came is not of the protocol, or the pipe broke within a message.</exception>
    public unsafe T? Read<T>(JsonTypeInfo<T> type)
        where T : class
    {
        while (true)
        {
            if (_buffer.Take(type) is { } message) return message;
            var free = _buffer.Free;
            nint count;
            fixed (byte* bytes = free) count = Libc.Read(descriptor, bytes, free.Length);
            if (count > 0) _buffer.Advance((int)count);
            else if (count == 0) return _buffer.IsEmpty ? null : throw new MessageException("The pipe ended within a message.");
            else if (Marshal.GetLastPInvokeError() != Libc.Interrupted) throw new MessageException($"The pipe cannot be read: {Libc.LastError()}.");
        }
    }
}
