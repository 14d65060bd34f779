namespace Dunlin.Runtime.ModelCheck;

/// <summary>Which fields of a message have been seen. Protobuf lets the last one win or merges them, so two parsers may read two models out of one file.</summary>
internal struct Once
{
    private ulong _seen;

    public readonly bool Has(int number) => (_seen & (1UL << number)) != 0;

    /// <exception cref="ModelRefusedException">It stands there already.</exception>
    public void Take(WalkState walk, in WireField field)
    {
        if (Has(field.Number)) throw walk.Refuse(CheckCodes.Field, field.Start, $"field {field.Number} stands a second time where it may stand once", "export the model again");
        _seen |= 1UL << field.Number;
    }
}
