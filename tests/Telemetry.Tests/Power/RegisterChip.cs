using System.Device.I2c;

namespace Dunlin.Telemetry.Tests.Power;

/// <summary>An I²C chip of 16-bit big-endian registers behind a pointer, as INA219 and INA236 are.</summary>
internal sealed class RegisterChip(I2cConnectionSettings settings) : I2cDevice
{
    private byte _pointer;

    public Dictionary<byte, ushort> Registers { get; } = [];
    public bool Vanished { get; set; }
    public override I2cConnectionSettings ConnectionSettings => settings;

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        if (Vanished) throw new IOException("Error 121 performing I2C data transfer");
        _pointer = buffer[0];
        if (buffer.Length == 3) Registers[_pointer] = (ushort)(buffer[1] << 8 | buffer[2]);
    }

    public override void Read(Span<byte> buffer)
    {
        if (Vanished) throw new IOException("Error 121 performing I2C data transfer");
        var value = Registers.GetValueOrDefault(_pointer);
        (buffer[0], buffer[1]) = ((byte)(value >> 8), (byte)value);
    }

    public override void WriteRead(ReadOnlySpan<byte> writeBuffer, Span<byte> readBuffer)
    {
        Write(writeBuffer);
        Read(readBuffer);
    }
}
