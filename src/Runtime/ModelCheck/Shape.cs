using System.Globalization;

namespace Dunlin.Runtime.ModelCheck;

/// <summary>Dimensions as they are read, and their product, which can never overflow.</summary>
internal struct Shape
{
    /// <summary>A dimension that is a name, or not stated.</summary>
    public const long Open = -1;

    private Sizes _sizes;

    public Shape()
    {
    }

    public int Rank { get; private set; }

    /// <summary>Elements; open dimensions count as one.</summary>
    public long Count { get; private set; } = 1;

    public readonly long this[int index] => _sizes[index];

    /// <exception cref="ModelRefusedException">Too many dimensions, a negative one, or too many elements.</exception>
    public void Add(WalkState walk, long size, long position)
    {
        if (size is < 0 or > CheckLimits.Elements)
            throw walk.Refuse(CheckCodes.Tensor, position, $"the dimension {size} cannot be", $"dimensions lie in 0…{CheckLimits.Elements}");
        Append(walk, size, position);
        // Both factors are below 2³¹, and a product of 0 stays 0.
        Count *= size;
        if (Count > CheckLimits.Elements)
            throw walk.Refuse(CheckCodes.Tensor, position, $"the dimensions {this} multiply to more than {CheckLimits.Elements} elements", "use smaller tensors");
    }

    public void AddOpen(WalkState walk, long position) => Append(walk, Open, position);

    private void Append(WalkState walk, long size, long position)
    {
        if (Rank == CheckLimits.Dimensions)
            throw walk.Refuse(CheckCodes.Limit, position, $"there are more than {CheckLimits.Dimensions} dimensions", "use tensors of fewer dimensions");
        _sizes[Rank++] = size;
    }

    public override readonly string ToString()
    {
        var sizes = new string[Rank];
        for (var i = 0; i < Rank; i++) sizes[i] = _sizes[i] == Open ? "?" : _sizes[i].ToString(CultureInfo.InvariantCulture);
        return $"[{string.Join(" × ", sizes)}]";
    }

    [System.Runtime.CompilerServices.InlineArray(CheckLimits.Dimensions)]
    private struct Sizes
    {
        private long _first;
    }
}
